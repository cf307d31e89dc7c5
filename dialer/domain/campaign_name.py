"""What a campaign may be called: text that looks the same wherever it is shown."""

import unicodedata

LONGEST = 300
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
