"""Finding the numbers of a run in any text, however they are written."""

import re

FIRST = 9_000_000_000
SEPARATED = re.compile(r"(?<=\d)[ .()\-/]{1,2}(?=\d)")
NUMBER = re.compile(r"(?<![0-9a-fA-F.])(?:\+|00)?(?:91|0)?(9000\d{6})(?![0-9a-fA-F])")


def numbers_in(text: str, contacts: int) -> set[str]:
    """The numbers of the list that a text holds, however they are written."""
    found = set()
    for version in (text, SEPARATED.sub("", text)):
        found |= {digits for digits in NUMBER.findall(version) if int(digits) - FIRST < contacts}
    return found
