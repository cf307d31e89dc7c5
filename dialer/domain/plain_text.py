"""Text from outside as it may be shown: what it holds besides letters and signs is spelled out, and does nothing."""

import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_SHAPING = frozenset("\u200c\u200d\u00ad")
"""Joiners, which shape the letters of many scripts, and the soft hyphen: harmless in a line."""


def inert(text: str) -> str:
    """The text in one line, with control, format and half characters (C0, C1, bidi, line ends) written as escapes.

    No part of it moves the cursor, colours, rings, reverses the reading order, or begins a line of its own.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(one) if _is_hidden(one) else one for one in text)


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character) in _HIDDEN and character not in _SHAPING


def _escaped(character: str) -> str:
    short = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character)
    code = ord(character)
    return short or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")


def inert_json(document: str) -> str:
    """A JSON document whose texts hold no such character as it is: each becomes its JSON escape."""
    if document.isascii() and document.replace("\n", "").isprintable():
        return document
    return "".join(_json_escape(one) if one != "\n" and _is_hidden(one) else one for one in document)


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
