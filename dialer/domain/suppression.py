"""How the suppression list names a number: as E.164, or by its hash alone."""

import re
from hashlib import sha256

HASHED = "sha256:"
_HASH = re.compile(r"sha256:[0-9a-f]{64}")


def hash_of(phone: str) -> str:
    """The hash that stands for a number (E.164) in the list: ``sha256:`` and 64 hexadecimal digits."""
    return HASHED + sha256(phone.encode()).hexdigest()


def read_hash(text: str) -> str:
    """The hash that somebody wrote, in one spelling; "" when it is none."""
    plain = text.strip().lower()
    return plain if _HASH.fullmatch(plain) else ""


def names_of(phone: str) -> tuple[str, str]:
    """Both ways in which a number may stand in the list."""
    return phone, hash_of(phone)
