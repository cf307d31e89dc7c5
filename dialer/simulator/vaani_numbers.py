"""Dialect A's phone numbers (wire contract, section 2.9): the paths are the vendor's, every body is ours.

A number of an agent is there as long as the agent; others are bought from a few that nobody has, or registered.
"""

from typing import Any

from starlette.responses import Response

from dialer.simulator.answers import Json
from dialer.simulator.checking import Body, Filled, Phone
from dialer.simulator.desk import Provider, Reader, User, known_agent
from dialer.simulator.operations import Section, good, listed, record
from dialer.simulator.switchboard import Refused

section = Section("vaani", "2.9")
FOR_SALE = tuple(f"+1{area}555{line:04d}" for area in (201, 415, 650) for line in range(160, 165))
"""Of the numbers that are kept free for stories."""
NUMBER = record(id=str, phone_number=str, agent_id=str | None)
ADDED = good(NUMBER, 401, 402, 403, 404, 409, 422, status=201)


class Changed(Body):
    """Whose number it is."""

    agent_id: Filled | None = None


class Added(Changed):
    """A number, and whose it is."""

    phone_number: Phone


@section.get("/sip", **good(listed(NUMBER), 401))
async def numbers(provider: Reader) -> Response:
    """The agents' numbers, then those that were added and are no agent's own."""
    owned = _owned(provider)
    return Json([*owned.values(), *(_shown(added) for added in provider.numbers.items() if added[0] not in owned)])


@section.get("/sip/search-numbers", **good(listed(record(phone_number=str)), 401, 403))
async def search(provider: User, area_code: str = "") -> Response:
    """Numbers that can be bought, of one area when it is named."""
    free = [number for number in FOR_SALE if not _held(provider, number)]
    return Json([{"phone_number": number} for number in free if number.startswith(f"+1{area_code}")])


@section.post("/sip/purchase-number", **ADDED)
async def purchase(provider: User, sent: Added) -> Response:
    """Buy a number that is for sale; what it costs is not documented, so it costs nothing."""
    provider.board.check_wallet()
    if sent.phone_number not in FOR_SALE:
        raise Refused(404, "Phone number is not for sale")
    return _add(provider, sent)


@section.post("/sip/register", **ADDED)
async def register(provider: User, sent: Added) -> Response:
    """Add a number of your own."""
    return _add(provider, sent)


@section.put("/sip/{number_id}", **good(NUMBER, 401, 403, 404, 409, 422))
async def update(provider: User, number_id: str, sent: Changed) -> Response:
    """Give a number to an agent."""
    number = _found(provider, number_id)
    provider.numbers[number] = _agent_id(provider, sent) or provider.numbers[number]
    return Json(_shown((number, provider.numbers[number])))


@section.delete("/sip/{number_id}", **good(record(message=str), 401, 403, 404, 409))
async def delete(provider: User, number_id: str) -> Response:
    """Give a number back; one that was bought can be bought again."""
    del provider.numbers[_found(provider, number_id)]
    return Json({"message": "Phone number deleted successfully"})


def _add(provider: Provider, sent: Added) -> Response:
    if _held(provider, sent.phone_number):
        raise Refused(409, "Phone number already registered")
    provider.numbers[sent.phone_number] = _agent_id(provider, sent)
    return Json(_shown((sent.phone_number, provider.numbers[sent.phone_number])), 201)


def _shown(added: tuple[str, str | None]) -> dict[str, Any]:
    number, agent_id = added
    return {"id": f"sip_{number[1:]}", "phone_number": number, "agent_id": agent_id}


def _owned(provider: Provider) -> dict[str, dict[str, Any]]:
    agents = provider.board.known_agents("vaani").newest_first()
    return {each.handle: _shown((each.handle, each.agent_id)) | {"id": f"sip_{each.agent_id}"} for each in agents}


def _held(provider: Provider, number: str) -> bool:
    return number in provider.numbers or number in _owned(provider)


def _found(provider: Provider, number_id: str) -> str:
    """The number of that id, which is no agent's own."""
    if any(number["id"] == number_id for number in _owned(provider).values()):
        raise Refused(409, "The number belongs to an agent: change the agent")
    number = next((number for number in provider.numbers if f"sip_{number[1:]}" == number_id), None)
    if number is None:
        raise Refused(404, "Phone number not found")
    return number


def _agent_id(provider: Provider, sent: Changed) -> str | None:
    return None if sent.agent_id is None else known_agent(provider, sent.agent_id).agent_id
