"""What the address of a [source] may be."""

import re
from urllib.parse import unquote

PLACEHOLDER = re.compile(r"\$\{\w+\}")


def check_source_url(url: str) -> None:
    """Raises ValueError for an address that does not read, and for one that holds a password.

    Nothing of the address is quoted: what stands where a port is meant may be a password.
    """
    if _shows_secret(url):
        raise ValueError(
            "url holds a password. Write ${SOURCE_NAME} in its place, and set SOURCE_NAME in the environment or in "
            ".env: it is put in when the source is read, and kept nowhere"
        )
    if url and not url.startswith("${"):
        # Only a campaign with a source has to wait for this import.
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import ArgumentError

        try:
            make_url(PLACEHOLDER.sub("1", url))
        except (ArgumentError, ValueError):
            example = "postgresql://host:5432/name, with user:${PASSWORD}@ before the host"
            raise ValueError(f"url must read like {example}; a port is a number") from None


def _shows_secret(url: str) -> bool:
    """Whether a password stands in the address itself, not as a placeholder."""
    bare = PLACEHOLDER.sub("", url)
    scheme, _, rest = bare.partition("://")
    owner, at, _ = rest.rpartition("@")
    if not scheme.startswith("sqlite") and at and owner.partition(":")[2]:
        return True
    return re.search(r"(?:password|passwd|pwd)\s*=\s*[^&;\s]", unquote(bare), re.IGNORECASE) is not None
