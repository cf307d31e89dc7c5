"""The last acts on a campaign, in words."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dialer.domain.act import Act, differences
from dialer.pipeline.iso import iso
from dialer.ports.people import PeopleView

LONGEST = 60


@dataclass(frozen=True, slots=True)
class Acts:
    """A page of the audit, the newest act first. ``next_after`` asks for the page behind it; None: there is none."""

    acts: list[Act]
    next_after: int | None

    @property
    def documents(self) -> list[dict[str, Any]]:
        """As JSON keys."""
        return [act_document(act) for act in self.acts]


@dataclass(frozen=True)
class RecentActs:
    """The reader's room."""

    view: PeopleView

    async def of(self, campaign: str, limit: int) -> list[Mapping[str, Any]]:
        """The last acts on the campaign with this handle, or on all (""), the newest first."""
        return [act_in_words(act) for act in await self.view.last_acts(campaign, limit)]

    async def page(self, limit: int, after: int | None = None) -> Acts:
        """All acts, those below the id ``after``."""
        before = 2**62 if after is None else after
        acts = await self.view.last_acts("", limit + 1, before)
        more = len(acts) > limit
        return Acts(acts[:limit], acts[limit - 1].act_id if more else None)


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


def act_document(act: Act) -> dict[str, Any]:
    """An act as JSON; what is JSON in it stays so."""
    return {
        "act_id": act.act_id,
        "at": iso(act.at),
        "who": act.who,
        "act": act.act,
        "campaign": act.campaign,
        "subject": act.subject,
        "before": _read(act.before),
        "after": _read(act.after),
        "why": act.why,
        "chain": act.chain,
    }


def _read(text: str) -> Any:
    return json.loads(text) if text.startswith("{") else text
