"""Who may do what over the page and the API."""

import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from zlib import crc32

PREFIX = "dlr_"
RANDOM_BYTES = 32
SHOWN = 8
"""Of a token that was made, so many characters are shown later."""
LONGEST_NAME = 60
NAME = re.compile(r"[^\W_](?:[\w .@-]*[\w.])?")
_FORM = re.compile(r"dlr_[A-Za-z0-9_-]{43}[0-9a-f]{8}")


class Role(IntEnum):
    """Each may do what those below it may.

    A viewer sees counts and stories with masked numbers; an operator starts, pauses, imports, suppresses, exports,
    listens; an admin makes tokens.
    """

    VIEWER = 1
    OPERATOR = 2
    ADMIN = 3

    @property
    def word(self) -> str:
        """As people write it."""
        return self.name.lower()


ROLES = {role.word: role for role in Role}


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks. ``token_id`` 0: the token of the settings."""

    name: str
    role: Role
    token_id: int = 0


@dataclass(frozen=True, slots=True)
class Token:
    """A token without its secret. Times are unix seconds; None: never."""

    token_id: int
    name: str
    role: Role
    shown: str
    made_by: str
    made_at: float
    ends_at: float | None
    used_at: float | None
    revoked_at: float | None


def make_token(chance: bytes) -> str:
    """A token of ``RANDOM_BYTES`` random bytes; its checksum tells a mistyped one before anybody looks it up."""
    assert len(chance) == RANDOM_BYTES
    body = urlsafe_b64encode(chance).decode().rstrip("=")
    return f"{PREFIX}{body}{crc32(body.encode()):08x}"


def is_token(text: str) -> bool:
    """Whether this can be a token that was made here."""
    if not _FORM.fullmatch(text):
        return False
    body, checksum = text[len(PREFIX) : -8], text[-8:]
    return f"{crc32(body.encode()):08x}" == checksum


def kept(secret: str) -> str:
    """What is kept of a secret. It is random, so a quick hash cannot be guessed back."""
    return sha256(secret.encode(errors="replace")).hexdigest()
