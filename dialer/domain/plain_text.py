"""Text from outside as it may be shown: what it holds besides letters and signs is replaced, and does nothing."""

import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_SHAPING = frozenset("\u200c\u200d\u00ad")
"""Joiners, which shape the letters of many scripts, and the soft hyphen: harmless in a line."""
INSTEAD = "\N{REPLACEMENT CHARACTER}"


def inert(text: str) -> str:
    """The text in one line, with control, format and half characters (C0, C1, bidi, line ends) replaced.

    No part of it moves the cursor, colours, rings, reverses the reading order, or begins a line of its own.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(INSTEAD if _is_hidden(one) else one for one in text)


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character) in _HIDDEN and character not in _SHAPING


def inert_json(document: str) -> str:
    """A JSON document whose texts hold no such character as it is: each becomes its JSON escape."""
    if document.isascii() and document.replace("\n", "").isprintable():
        return document
    return "".join(_json_escape(one) if one != "\n" and _is_hidden(one) else one for one in document)


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
