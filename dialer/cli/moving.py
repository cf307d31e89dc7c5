"""start, pause, resume, cancel: what must hold soon is not kept waiting by what it does not need."""

from config import Settings
from dialer.adapters.ledger import SqlLedger
from dialer.cli.opening import with_ledger
from dialer.cli.printing import print_json, put
from dialer.control_room import open_control
from dialer.ports import Campaign


def move(name: str, verb: str, reason: str = "", *, as_json: bool) -> None:
    """Apply a verb; returns when it holds."""

    async def use(settings: Settings, ledger: SqlLedger) -> Campaign:
        return await open_control(settings, ledger, reason).move(name, verb)

    moved = with_ledger(use)
    if as_json:
        print_json({"campaign": moved.spec.name, "status": str(moved.status)})
    else:
        put(f"{moved.spec.name}: {moved.status}")


def start_after_restore(name: str, reason: str, *, as_json: bool) -> None:
    """Go on with a ledger that is older than what was done since; what the log does not show is accepted."""

    async def use(settings: Settings, ledger: SqlLedger) -> Campaign:
        return await open_control(settings, ledger, reason).start_after_restore(name)

    moved = with_ledger(use)
    if as_json:
        print_json({"campaign": moved.spec.name, "status": str(moved.status)})
    else:
        put(f"{moved.spec.name}: {moved.status}")
