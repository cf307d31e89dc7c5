"""What a viewer sees of people: no full number."""

from collections.abc import Iterable
from typing import Any

from config.logs import mask_phones
from dialer.console import Console
from dialer.domain.access import Role
from dialer.domain.phone_number import Phone, Unusable, mask, parse_phone
from dialer.errors import UsageError
from dialer.web.access import Asker


def shown(document: dict[str, Any], asker: Asker) -> dict[str, Any]:
    """A document as this asker may see it."""
    return document if asker.may(Role.OPERATOR) else masked(document)


def masked(document: dict[str, Any]) -> dict[str, Any]:
    """The same with every number masked, also those that a list or a provider wrote elsewhere."""
    return {name: mask(value) if name == "phone" else _masked(value) for name, value in document.items()}


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return mask_phones(value)
    if isinstance(value, dict):
        return masked(value)
    return [_masked(one) for one in value] if isinstance(value, list) else value


async def names_of(rooms: Console, campaign_ids: Iterable[int | None]) -> dict[int, str]:
    """The names of these campaigns; what is no campaign has none."""
    ids = sorted({one for one in campaign_ids if one is not None and one > 0})
    return {one: (await rooms.ledger.people.campaign(one)).spec.name for one in ids}


def e164(text: str, region: str) -> str:
    """A number that somebody wrote, as E.164. Raises UsageError, which does not repeat it."""
    match parse_phone(text, region.strip().upper()):
        case Phone(e164=number):
            return number
        case Unusable(reason, remedy):
            raise UsageError(f"{reason}. {remedy}")
