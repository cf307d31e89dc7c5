"""The last acts on a campaign, in words."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dialer.domain.act import Act, differences
from dialer.pipeline.iso import iso
from dialer.ports.people import PeopleView

LONGEST = 60


@dataclass(frozen=True)
class RecentActs:
    """The reader's room."""

    view: PeopleView

    async def of(self, campaign: str, limit: int) -> list[Mapping[str, Any]]:
        """The last acts on the campaign with this handle, or on all (""), the newest first."""
        return [act_in_words(act) for act in await self.view.last_acts(campaign, limit)]


def act_in_words(act: Act) -> Mapping[str, Any]:
    """An act as the page shows it."""
    return {
        "at": iso(act.at),
        "who": act.who,
        "act": act.act,
        "campaign": act.campaign,
        "what": "; ".join(what(act)),
        "why": act.why,
    }


def what(act: Act) -> list[str]:
    """What an act was about and changed, in a few words each."""
    parts = [act.subject] if act.subject else []
    if act.act == "create":
        return parts
    if act.before.startswith("{") or act.after.startswith("{"):
        changes = differences(act.before, act.after)
        return parts + [f"{key} {' -> '.join(_short(one) for one in values if one is not None)}"
                        for key, *values in changes]  # fmt: skip
    return [*parts, f"{act.before} -> {act.after}"] if act.before or act.after else parts


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
