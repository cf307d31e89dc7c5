"""A list of numbers that must not be called becomes entries of the suppression list, and every row is accounted for."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from dialer.pipeline.control_campaign import ControlCampaign
from dialer.pipeline.import_contacts import OpenRejects
from dialer.ports import Campaign, Reject, Suppression

AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Barred:
    """What a list brought. ``unread``: rows that could not be read, without their cells; ``rejects``: path of the file
    with all of them, "" for none.
    """

    added: int
    total: int
    unread: tuple[Reject, ...]
    invalid: int
    rejects: str

    @property
    def document(self) -> dict[str, Any]:
        """As JSON keys."""
        return {
            "added": self.added,
            "already_listed": self.total - self.added,
            "invalid": [{"row": one.row, "reason": one.reason, "remedy": one.remedy} for one in self.unread],
            "rejects": self.rejects,
        }


@dataclass(frozen=True)
class ImportSuppressions:
    """The operator's room. ``most_unread``: so many rejects are answered; all of them are in the file."""

    control: ControlCampaign
    rejects: OpenRejects
    most_unread: int | None = None

    async def run(
        self, header: tuple[str, ...], rows: Iterator[Suppression | Reject], read: Callable[[int], object] = int
    ) -> Barred:
        """Add every number; when it returns no request leaves for any of them. ``read`` is told of rows, as they are.

        Raises InputFileError when the list is refused; what was added stays.
        """
        rejects = self.rejects(header)
        added, total, invalid, unread = 0, 0, 0, list[Reject]()
        try:
            while batch := await asyncio.to_thread(lambda: list(islice(rows, AT_ONCE))):
                entries = [row for row in batch if isinstance(row, Suppression)]
                added, total = added + sum(await self.control.suppress(entries)), total + len(entries)
                bad = [row for row in batch if isinstance(row, Reject)]
                rejects.add(bad)
                invalid += len(bad)
                room = None if self.most_unread is None else self.most_unread - len(unread)
                unread += [replace(row, cells=()) for row in bad[:room]]
                read(len(batch))
            return Barred(added, total, tuple(unread), invalid, rejects.close())
        finally:
            rejects.discard()


def campaign_ids(campaigns: Sequence[Campaign]) -> dict[str, int]:
    """Ids by the names that a list may give: a real campaign before a rehearsal of its name."""
    rehearsals_first = sorted(campaigns, key=lambda known: not known.spec.is_rehearsal)
    return {known.spec.name: known.campaign_id for known in rehearsals_first}
