"""Who of the fleet holds which loop, and until when."""

from collections.abc import Sequence

from dialer.adapters.ledger.transaction import Transaction

LONGEST_S = 60.0
"""A lease that ends later than this was written before the clock was set back: it counts no more."""

HELD_BY_OTHERS = """
SELECT name FROM leases
WHERE name IN :names* AND holder <> :holder AND held_until > :now AND held_until <= :latest
"""
HELD = "SELECT count(*) FROM leases WHERE name = :name AND held_until > :now AND held_until <= :latest"
TAKE = """
INSERT INTO leases (name, holder, held_until) VALUES (:name, :holder, :held_until)
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
    WHERE leases.holder = :holder OR leases.held_until <= :now OR leases.held_until > :latest
"""
FREE = "UPDATE leases SET held_until = 0 WHERE name = :name AND holder = :holder"


def free_names(transaction: Transaction, names: Sequence[str], holder: str, now: float) -> list[str]:
    """Those that are free for ``holder``, or its own."""
    asked = {"names": list(names), "holder": holder, "now": now, "latest": now + LONGEST_S}
    taken = {row[0] for row in transaction.all(HELD_BY_OTHERS, asked)}
    return [name for name in names if name not in taken]


def hold(transaction: Transaction, names: Sequence[str], holder: str, lease_s: float, now: float) -> list[bool]:
    """For each name, whether ``holder`` has it now, for ``lease_s`` seconds more."""
    asked = {"holder": holder, "held_until": now + lease_s, "now": now, "latest": now + LONGEST_S}
    # In the same order in every process: it does not take the gate.
    taken = sorted(names)
    won = dict(zip(taken, transaction.won(TAKE, [asked | {"name": name} for name in taken]), strict=True))
    return [won[name] for name in names]


def free(transaction: Transaction, names: Sequence[str], holder: str, now: float) -> list[None]:
    """Let others take at once what ``holder`` held."""
    del now
    transaction.many(FREE, [{"name": name, "holder": holder} for name in sorted(names)])
    return [None] * len(names)


def is_held(transaction: Transaction, name: str, now: float) -> bool:
    """Whether a process holds a loop of the fleet."""
    return bool(transaction.all(HELD, {"name": name, "now": now, "latest": now + LONGEST_S})[0][0])
