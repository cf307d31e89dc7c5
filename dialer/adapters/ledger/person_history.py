"""What was called before of a person: the attempts that count against the limits, over all campaigns.

Those of rehearsals count for rehearsals alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from dialer.adapters.ledger.transaction import Transaction
from dialer.domain.attempt import AttemptState
from dialer.domain.disposition import Disposition
from dialer.domain.limits import Made

# An attempt that placed nothing has no dialed_at, or was refused; a call in the log disproves such an answer.
_COUNTED = """
SELECT id, person, phone, dialed_at, state, disposition, ended_at FROM attempts
WHERE dialed_at IS NOT NULL AND (state <> 'refused'
    OR EXISTS (SELECT 1 FROM log_rows WHERE log_rows.attempt_id = attempts.id)) AND rehearsal = :rehearsal AND
"""
MADE_TO_PHONES = f"{_COUNTED} phone IN :phones*"
MADE_TO_PERSONS = f"{_COUNTED} person IN :persons*"


@dataclass(slots=True)
class Histories:
    """Of some people, each given as (person, phone), every attempt that counts.

    A person with a key also answers for what was called at the number under any other key, or none.
    """

    to_phone: dict[str, dict[int, Made]] = field(default_factory=dict)
    to_person: dict[str, dict[int, Made]] = field(default_factory=dict)

    def of(self, person: str, phone: str) -> list[Made]:
        """What was called of one of these people."""
        made = self.to_phone.get(phone)
        keyed = self.to_person.get(person)
        if keyed is None:
            return [] if made is None else list(made.values())
        return list((keyed | (made or {})).values())

    def add(self, attempt_id: int, person: str, phone: str, made: Made) -> None:
        """Another attempt, so that the next question counts it."""
        self.to_phone.setdefault(phone, {})[attempt_id] = made
        if person != phone:
            self.to_person.setdefault(person, {})[attempt_id] = made


def read_histories(transaction: Transaction, people: Iterable[tuple[str, str]], *, rehearsal: bool) -> Histories:
    """The histories of these (person, phone), in two look-ups by index."""
    histories, pairs, kind = Histories(), set(people), {"rehearsal": int(rehearsal)}
    persons = sorted({person for person, phone in pairs if person != phone})
    phones = sorted({phone for _, phone in pairs})
    rows = transaction.all(MADE_TO_PHONES, kind | {"phones": phones}) if pairs else []
    if persons:
        rows += transaction.all(MADE_TO_PERSONS, kind | {"persons": persons})
    for attempt_id, person, phone, dialed_at, state, disposition, ended_at in rows:
        word = Disposition(disposition) if disposition else None
        histories.add(attempt_id, person, phone, Made(dialed_at, AttemptState(state), word, ended_at))
    return histories
