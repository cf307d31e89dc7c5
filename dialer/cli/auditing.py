"""dialer audit: who did what, when and why."""

from dataclasses import dataclass

from config import Settings
from dialer.adapters.ledger import SqlLedger
from dialer.cli.opening import with_ledger
from dialer.cli.printing import local, print_json, print_table, say
from dialer.domain.act import Act, chained
from dialer.pipeline.recent_acts import act_document, what

COLUMNS = ("at", "who", "act", "campaign", "what", "why")


def show_audit(name: str | None, *, verify: bool, as_json: bool) -> int:
    """The acts on a campaign, or all, oldest first; answers the exit code: 1 when ``verify`` finds a broken chain."""

    async def use(_: Settings, ledger: SqlLedger) -> tuple[list[Act], str]:
        handle = (await ledger.campaign(name)).spec.handle if name else ""
        chain, acts = _Chain(), []
        async for act in ledger.acts("" if verify else handle):
            chain.add(act)
            if not handle or act.campaign == handle:
                acts.append(act)
        return acts, chain.verdict if verify else ""

    acts, verdict = with_ledger(use)
    if as_json:
        print_json([act_document(act) for act in acts])
    else:
        print_table(COLUMNS, [(local(a.at), a.who, a.act, a.campaign, "; ".join(what(a)), a.why) for a in acts])
    if verdict:
        say(verdict)
    return int(verdict.startswith("broken"))


@dataclass(slots=True)
class _Chain:
    """Whether each row still has the hash that it was written with, and follows the one it was written after."""

    last: str = ""
    rows: int = 0
    broken_at: int = 0

    def add(self, act: Act) -> None:
        if not self.broken_at and chained(act, self.last) != act.chain:
            self.broken_at = act.act_id
        self.last, self.rows = act.chain, self.rows + 1

    @property
    def verdict(self) -> str:
        """One line. Rows cut off at the end leave no trace here: note the last hash elsewhere to see that too."""
        if self.broken_at:
            return f"broken: act {self.broken_at} is not as it was written, or what stood before it is gone"
        return f"whole: {self.rows:,} acts, the last one with the hash {self.last or '-'}"
