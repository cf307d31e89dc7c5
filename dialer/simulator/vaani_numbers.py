"""Dialect A's phone numbers (wire contract, section 2.9): the paths are the vendor's, every body is ours.

A number of an agent is there as long as the agent; others are bought from a few that nobody has, or registered.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from dialer.simulator import checking
from dialer.simulator.answers import Json
from dialer.simulator.checking import Word
from dialer.simulator.operations import Operation, good, operation, refused, sent
from dialer.simulator.schemas import TEXT, listed, maybe, record
from dialer.simulator.switchboard import Refused
from dialer.simulator.vaani_desk import DIALECT, VaaniDesk

_operation = partial(operation, "2.9")
AREA = Word("area_code")
FOR_SALE = tuple(f"+1{area}555{line:04d}" for area in (201, 415, 650) for line in range(160, 165))
"""Of the numbers that are kept free for stories."""
ADDED = {"phone_number": checking.number, "agent_id": checking.filled}
CHANGED = {"agent_id": checking.filled}
NUMBER = record(id=TEXT, phone_number=TEXT, agent_id=maybe(TEXT))
OFFER = record(phone_number=TEXT)
GONE = record(message=TEXT)


@dataclass(slots=True)
class Number:
    """A number that was bought or registered."""

    number_id: str
    phone_number: str
    agent_id: str | None

    def shown(self) -> dict[str, Any]:
        """As the list has it."""
        return {"id": self.number_id, "phone_number": self.phone_number, "agent_id": self.agent_id}


class VaaniNumbers:
    """``/sip``; changes are made by a user who logged in, as the documents have it."""

    def __init__(self, desk: VaaniDesk) -> None:
        self.desk = desk
        self._added: dict[str, Number] = {}

    def operations(self) -> list[Operation]:
        """What is served."""
        added = good(NUMBER, status=201) | refused(401, 402, 403, 404, 409, 422)
        body = sent(ADDED, ("phone_number",))
        changed = refused(401, 403, 404, 409)
        return [
            _operation("GET", "/sip", self.list, "Phone numbers and their agents", good(listed(NUMBER)) | refused(401)),
            _operation(
                "GET",
                "/sip/search-numbers",
                self.search,
                "Numbers that can be bought",
                good(listed(OFFER)) | refused(401, 403),
                query=(AREA,),
            ),
            _operation("POST", "/sip/purchase-number", self.purchase, "Buy one of these", added, body=body),
            _operation("POST", "/sip/register", self.register, "Add a number of your own", added, body=body),
            _operation(
                "PUT",
                "/sip/{number_id}",
                self.update,
                "Give a number to an agent",
                good(NUMBER) | changed | refused(422),
                body=sent(CHANGED),
            ),
            _operation("DELETE", "/sip/{number_id}", self.delete, "Give a number back", good(GONE) | changed),
        ]

    async def list(self, request: Request) -> Response:
        """The agents' numbers, then those that were added and are no agent's own."""
        self.desk.let_in(request)
        owned = self._of_agents()
        taken = {number.phone_number for number in owned}
        others = [number for number in self._added.values() if number.phone_number not in taken]
        return Json([number.shown() for number in (*owned, *others)])

    async def search(self, request: Request) -> Response:
        """Those that nobody has yet, of one area when it is named."""
        self.desk.let_user_in(request)
        area = AREA.of(request) or ""
        free = [number for number in FOR_SALE if not self._held(number)]
        return Json([{"phone_number": number} for number in free if number.startswith(f"+1{area}")])

    async def purchase(self, request: Request) -> Response:
        """Buy a number that is for sale; what it costs is not documented, so it costs nothing."""
        self.desk.let_user_in(request)
        body = await _checked(request)
        self.desk.board.check_wallet()
        if body["phone_number"] not in FOR_SALE:
            raise Refused(404, "Phone number is not for sale")
        return self._add(body)

    async def register(self, request: Request) -> Response:
        """Add a number that is the user's own."""
        self.desk.let_user_in(request)
        return self._add(await _checked(request))

    async def update(self, request: Request) -> Response:
        """Change whose number it is."""
        self.desk.let_user_in(request)
        number = self._found(request)
        body = await checking.json_object(request)
        checking.check_body(body, CHANGED, ())
        number.agent_id = self._agent_id(body) or number.agent_id
        return Json(number.shown())

    async def delete(self, request: Request) -> Response:
        """Give the number back; one that was bought can be bought again."""
        self.desk.let_user_in(request)
        del self._added[self._found(request).number_id]
        return Json({"message": "Phone number deleted successfully"})

    # --- parts -------------------------------------------------------------------------------------------

    def _add(self, body: dict[str, Any]) -> Response:
        phone_number = body["phone_number"]
        if self._held(phone_number):
            raise Refused(409, "Phone number already registered")
        number = Number(f"sip_{phone_number[1:]}", phone_number, self._agent_id(body))
        self._added[number.number_id] = number
        return Json(number.shown(), 201)

    def _held(self, phone_number: str) -> bool:
        return any(number.phone_number == phone_number for number in (*self._of_agents(), *self._added.values()))

    def _of_agents(self) -> Sequence[Number]:
        agents = self.desk.board.known_agents(DIALECT).newest_first()
        return [Number(f"sip_{agent.agent_id}", agent.handle, agent.agent_id) for agent in agents]

    def _found(self, request: Request) -> Number:
        number_id = request.path_params["number_id"]
        if any(number.number_id == number_id for number in self._of_agents()):
            raise Refused(409, "The number belongs to an agent: change the agent")
        if number_id not in self._added:
            raise Refused(404, "Phone number not found")
        return self._added[number_id]

    def _agent_id(self, body: dict[str, Any]) -> str | None:
        wanted = body.get("agent_id")
        agent = None if wanted is None else self.desk.board.known_agents(DIALECT).find(wanted)
        if wanted is not None and agent is None:
            raise Refused(404, "Agent not found")
        return None if agent is None else agent.agent_id


async def _checked(request: Request) -> dict[str, Any]:
    body = await checking.json_object(request)
    checking.check_body(body, ADDED, ("phone_number",))
    return body
