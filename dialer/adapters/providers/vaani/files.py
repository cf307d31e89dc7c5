"""An agent's files at api.vaani.ai: the knowledge it answers from. They need a login, not a key."""

from collections.abc import AsyncIterator
from pathlib import Path

from dialer.adapters.providers.answers.proof import Json
from dialer.adapters.providers.http.client import ProviderClient, segment
from dialer.adapters.providers.vaani.lists import file_at, whole_list
from dialer.adapters.providers.vaani.models import AgentFile, Findings
from dialer.errors import AnswerUnreadable


class Files:
    """``client.files`` (mvdocs.omind.ai/api-reference/agents): the paths are documented, no body is.

    Every method raises ProviderError, NotFound for an unknown agent.
    """

    def __init__(self, client: ProviderClient) -> None:
        self._client = client

    async def upload(self, agent_id: str, path: Path) -> AgentFile:
        """``POST /agents/{id}/upload``; never repeated. Raises InputFileError for a file that cannot be read."""
        file = await file_at(path)
        answer = await self._client.write_form("POST", f"{_path(agent_id)}/upload", {}, file=("file", file))
        return AgentFile.read({"name": path.name, **answer})

    def list(self, agent_id: str) -> AsyncIterator[AgentFile]:
        """``GET /agents/{id}/files``."""
        path = f"{_path(agent_id)}/files"
        return whole_list(self._client, path, AgentFile.read, lambda one: one.name, "list of files", bare="name")

    async def delete(self, agent_id: str, name: str) -> Json:
        """``DELETE /agents/{id}/files/{name}``. Raises NotFound."""
        return await self._client.delete(f"{_path(agent_id)}/files/{segment(name, 'file')}")

    async def query(self, agent_id: str, query: str) -> Findings:
        """``POST /agents/{id}/query``: what the files say to ``query``. Asked once: who pays for it is not documented.

        Raises AnswerUnreadable for an answer without anything in it: it would look as if nothing was found.
        """
        answer = await self._client.write("POST", f"{_path(agent_id)}/query", {"query": query})
        if not answer:
            raise AnswerUnreadable("the query was answered with nothing")
        return Findings.read(answer)


def _path(agent_id: str) -> str:
    return f"/agents/{segment(agent_id, 'agent')}"
