"""States and provinces as people write them: with and without accents, short, in English or in the country's tongue."""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from dialer.rules import state_names

_KIND = re.compile(
    r"^(?:(?:free )?state of|commonwealth of|province of|canton of|region of|freistaat|land|bundesland|kanton"
    r"|canton(?: de)?"
    r"|(?:departe?ment|province|provincia|regione?|comunidad(?: autonoma)?|estado|principado)(?: d[aeio]l?)?"
    r"|negeri) "
    r"| (?:state|province|region|canton|territory|prefecture)$"
)
_BRACKETS = re.compile(r"[(\[](.*?)[)\]]")
_NOT_DECOMPOSED = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "ß": "ss", "&": " and "})
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})


def match_state(country: str, text: str, known: Mapping[str, str]) -> str | None:
    """The value in ``known`` (made by ``index_names``) that ``text`` means; None for none, or for two at once."""
    folded = _fold(text).removeprefix(f"{country.lower()} ")
    bare, inside = _fold(_BRACKETS.sub(" ", text)), [_fold(part) for part in _BRACKETS.findall(text)]
    if (code := _lookup(folded, known)) is not None:
        return code
    codes = {code for word in (bare, *inside) if word and (code := _lookup(word, known)) is not None}
    return codes.pop() if len(codes) == 1 else None


def index_names(country: str, names: Iterable[tuple[str, str]]) -> dict[str, str]:
    """(name, code) as ``match_state`` wants them, with the other names that ``state_names.toml`` has for the codes."""
    index: dict[str, str] = {}
    codes = set()
    for name, code in names:
        codes.add(code)
        for spelling in _spellings(name):
            index.setdefault(spelling, code)
    for code, others in _others().get(country, {}).items():
        if code in codes:
            for other in others:
                for spelling in _spellings(other):
                    index.setdefault(spelling, code)
    return index


def _lookup(folded: str, known: Mapping[str, str]) -> str | None:
    for word in (folded, _KIND.sub("", folded)):
        if (code := known.get(word.replace(" ", ""))) is not None:
            return code
    return None


def _spellings(name: str) -> Iterator[str]:
    yield _fold(name).replace(" ", "")
    if (written := name.casefold().translate(_UMLAUTS)) != name.casefold():
        yield _fold(written).replace(" ", "")


def _fold(text: str) -> str:
    """Letters and digits without case and accents, in words."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_NOT_DECOMPOSED))
    spaced = "".join("" if unicodedata.combining(c) or c in ".'’" else c if c.isalnum() else " " for c in plain)
    return " ".join(spaced.split())


@cache
def _others() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(state_names())
