"""An answer that is read as it arrives, and words for what can go wrong on the way."""

from collections.abc import AsyncIterator

import httpx

from dialer.adapters.providers.answers.proof import TRANSPORT_ERRORS, Answer, Hide, lost_kind, retry_after_s
from dialer.ports import Clock

KEPT_BYTES = 64 * 1024


class Stream:
    """An answer whose body is still to be read."""

    def __init__(self, response: httpx.Response, hide: Hide, clock: Clock) -> None:
        self._response, self._hide, self._clock = response, hide, clock
        self.status, self.headers = response.status_code, response.headers

    async def answer(self) -> Answer:
        """The whole of a small answer, an error's for example."""
        body = b""
        async for part in self.parts():
            body += part
            if len(body) > KEPT_BYTES:
                break
        wait = retry_after_s(self.headers, self._clock.now())
        return Answer(self.status, body, wait, self.headers)

    async def parts(self) -> AsyncIterator[bytes]:
        """The body as it arrives. Raises AnswerLate, ConnectionLost, AnswerCut."""
        try:
            async for part in self._response.aiter_bytes():
                yield part
        except httpx.HTTPError as error:
            raise lost_kind(error)(self._hide(words_of(error))) from error


def words_of(error: Exception) -> str:
    """What went wrong between us and the provider, in words."""
    if isinstance(error, TimeoutError):
        return "the whole request took too long"
    what = TRANSPORT_ERRORS.get(type(error), f"unexpected {type(error).__name__}")
    detail = str(error)[:200]
    return f"{what} ({detail})" if detail else what
