"""How the suppression list names a number: as E.164, or by its hash alone; and who asked to be put on it."""

import re
from dataclasses import dataclass
from hashlib import sha256

from dialer.domain.call import CallLog

HASHED = "sha256:"
REHEARSALS = -1
"""In place of a campaign's id: over all rehearsals, and over no real campaign."""
_YES = frozenset({"true", "yes", "y"})
_ONE = re.compile(r"1(\.0*)?")
_DISPOSITIONS = re.compile(r"\b(disposition|tag)")
_HASH = re.compile(r"sha256:[0-9a-f]{64}")


def hash_of(phone: str) -> str:
    """The hash that stands for a number (E.164) in the list: ``sha256:`` and 64 hexadecimal digits."""
    return HASHED + sha256(phone.encode()).hexdigest()


def read_hash(text: str) -> str:
    """The hash that somebody wrote, in one spelling; "" when it is none."""
    plain = text.strip().lower()
    return plain if _HASH.fullmatch(plain) else ""


def names_of(phone: str) -> tuple[str, str]:
    """Both forms that a number may have in the list."""
    return phone, hash_of(phone)


@dataclass(frozen=True, slots=True)
class OptOut:
    """What in a call log means that the person asked not to be called again.

    ``entities`` are extracted fields: a name alone where its value says yes, ``name=value`` where it is that value.
    ``dispositions`` are words of the provider, or our own names for what a call came to. Case, "_" and "-" do not
    matter.
    """

    entities: tuple[str, ...] = ("opt_out", "do_not_call", "dnc")
    dispositions: tuple[str, ...] = ("do not call", "dnc", "opt out", "opted out")


def opted_out(rules: OptOut, log: CallLog) -> str:
    """The word or field of a row that says so; "" when none does."""
    entities: dict[str, list[str]] = {}
    for name, value in log.entities.items():
        entities.setdefault(_plain(name), []).append(value)
    said = {_plain(log.raw_status), _plain(str(log.disposition or ""))}
    said |= {value for name, values in entities.items() if _DISPOSITIONS.search(name) for value in map(_plain, values)}
    for rule in rules.entities:
        name, equals, value = rule.partition("=")
        if any(_plain(one) == _plain(value) if equals else says_yes(one) for one in entities.get(_plain(name), ())):
            return rule
    return next((word for word in rules.dispositions if _plain(word) in said), "")


def says_yes(value: str) -> bool:
    """Whether a value means yes: "true", 1, "Yes, he asked not to be called"."""
    said = value.strip().lower()
    return _ONE.fullmatch(said) is not None or re.split(r"[\W_]+", said, maxsplit=1)[0] in _YES


def _plain(text: str) -> str:
    """Lower case, single spaces."""
    return re.sub(r"[\W_]+", " ", text.lower()).strip()
