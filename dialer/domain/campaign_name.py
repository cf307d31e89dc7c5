"""What a campaign may be called: text that looks the same wherever it is shown."""

import unicodedata
from hashlib import sha256

LONGEST = 300
LONGEST_STEM = 150
"""Bytes; a file's name may have 255, and some are for endings."""
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_JOINERS = "\u200c\u200d"
"""Joiners shape letters in many scripts of India and Iran; they are format characters like the harmful ones."""


def plain_name(text: str) -> str:
    """The name in Unicode's composed form (NFC), without blanks around it: one text for what looks the same.

    Raises ValueError, with the reason in words, for a name that is too long or holds what cannot be seen.
    """
    name = unicodedata.normalize("NFC", text).strip()
    if len(name) > LONGEST:
        raise ValueError(f"is longer than {LONGEST} characters")
    for character in name:
        if unicodedata.category(character) in _UNSEEN and character not in _JOINERS:
            raise ValueError(f"holds a character that cannot be seen (U+{ord(character):04X})")
    return name


def file_stem(name: str) -> str:
    """A file's name, without its ending, for a campaign: readable, and another one for every other campaign."""
    kept = "".join(one if unicodedata.category(one)[0] in "LNM" or one == "-" else "-" for one in name)
    short = kept.encode("utf-8", "replace")[:LONGEST_STEM].decode("utf-8", "ignore")
    if short == name:
        return short
    return f"{short}-{sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
