"""Columns in which a list says who must not be called, and what their cells say.

Such columns are obeyed without being named: a list that has one means it. Those that are only about e-mail, text
messages or fax do not count.
"""

import re
import unicodedata
from enum import Enum
from functools import lru_cache


class Sense(Enum):
    """What a yes in a column means."""

    BARRED = "barred"
    ALLOWED = "allowed"
    WORDS = "words"
    """Any text; only the words for it bar."""


_SINCE = r"(list|listed|flag|status|registry|registered|registration|reason|since|date|at|on|time)?"
_OF_CALLS = r"(of|from)?(the)?(calls?|calling|phone|marketing|all|everything|communications?|contact)?"
_BARRED = re.compile(
    rf"(is|has|on|in)?(the)?(ndncr?|dncr?|dndr?|tps|ctps|bloctel|robinsonliste?){_SINCE}"
    rf"|(is|has|please|pls)?(donot|dont|doesnot|doesnt|not|never|mustnot|maynot)"
    rf"(calls?|phone|contact|ring|disturb|telephone|becalled|becontacted)(again|me|us|anymore)?{_SINCE}"
    rf"|(is|has|have)?(phone|telephone|voice|calls?|calling|marketing|contact)?(opt|opted|opting)outs?{_OF_CALLS}{_SINCE}"
    rf"|(is|has)?(been)?(globally|global)?(unsubscribed?|blacklist(ed)?|blocklist(ed)?|suppress(ed)?){_SINCE}"
    r"|(stop|no)(calling|callsplease|calllist|contactlist)|stopcalls|removefrom(call)?list"
    r"|keineanrufe|nichtanrufen|anrufsperre|werbesperre|telefonsperre|nepasappeler|nepascontacter|desinscrit|nollamar"
    r"|nocontactar|naoligar|naocontatar|nonchiamare|noncontattare|nietbellen|ringinte"
)
_ALLOWED = re.compile(
    r"(has|have|is)?(phone|telephone|voice|calls?|calling|marketing|contact|dialing)?"
    r"(consent|consented|consents|optin|optedin|permission|permitted|allowed)"
    r"(to|for|of)?(be)?(calls?|called|calling|contact|contacted|phone|marketing)?(given|granted|flag|status)?"
    r"|(can|may|ok|okay|agreed|agrees|willing)(to|we|i)?(be)?(call|called|contact|contacted|phone|phoned)"
    r"|contactable|callable|einwilligung|anruferlaubt|consentement|consentimiento"
)
_WORDS = re.compile(
    r"(lead|contact|call|calling|customer|client|member|subscriber|subscription|patient|dial|agent|last|phone)?(call)?"
    r"(status|stage|disposition|outcome|result|response|tags?|labels?|segments?|list|remarks?|comments?|notes?|flags?"
    r"|preferences?)"
)

_YES = frozenset(
    {"1", "y", "yes", "yep", "t", "true", "on", "x", "j", "ja", "o", "oui", "s", "si", "sim", "d", "da", "v", "vrai"}
    | {"wahr", "verdadero", "verdadeiro", "vero", "tak", "evet", "hai", "checked", "set", "marked", "✓", "✔", "☑", "✅"}
    | {"☒", "да", "हा", "हां", "हाँ", "是", "はい", "نعم"}
)
_NO = frozenset(
    {"0", "n", "no", "nope", "f", "false", "off", "nein", "nee", "nej", "non", "nao", "ne", "nie", "falsch", "faux"}
    | {"falso", "nada", "unchecked", "unset", "never", "none", "nan", "null", "nil", "na", "n/a", "☐", "□", "нет", "否"}
    | {"नही", "नहीं", "いいえ", "لا", "-", "–", "—", ".", "0000-00-00", "00/00/0000"}
)
_BARRING = re.compile(
    r"(please|pls)?(donot|dont|never|mustnot)(call|contact|phone|disturb|ring)(again|me|us|anymore|list|him|her|them)?"
    r"|ndnc|dnc|dnd|dnclist|onthednclist|ondnclist|dndlist|(has)?opte?dout|optout|unsubscribed?|stop(calling|calls)?"
    r"|nocalls?(please|pls)?|blacklisted?|blocklisted?|suppressed|remove(d|me)?(fromlist)?|barred|blocked|refused(calls)?"
    r"|keineanrufe|nichtanrufen|gesperrt|nepasappeler|nollamar|naoligar|registered|listed"
)
_WORD_FOR_IT = re.compile(
    r"(please|pls)?(donot|dont|never|mustnot)(call|contact|phone|disturb|ring)(again|me|us|anymore|list|him|her|them)?"
    r"|ndnc|dnc|dnd|(on)?(the)?(dnc|dnd|donotcall|donotcontact)(list|listed|requested|request)?|(has)?opte?dout(ofcalls)?"
    r"|optout|unsubscribed|stopcalling(me|us)?|nomorecalls|blacklisted|blocklisted|callsrefused|refusedcalls"
    r"|keineanrufe|nichtanrufen|nepasappeler|nollamar|naoligar|nonchiamare"
)
_ALLOWING = re.compile(
    r"(can|may|ok|okay|allowed|free)(to|we)?(be)?(call|called|contact|contacted)|ok|okay|allowed|free|callable"
    r"|contactable|(has)?opte?din|optin|subscribed|consented|granted|given|notlisted|notregistered|notondnc|notdnc|notdnd|nodnd|nodnc|clear|clean"
)
_DATE = re.compile(r"\d{4}[-/.]\d\d?[-/.]\d\d?(?:[T ].*)?|\d\d?[-/.]\d\d?[-/.]\d{2,4}(?: .*)?")


def sense_of(header: str) -> Sense | None:
    """What a yes means in the column with this normalised header; None when it says nothing about calls."""
    if _BARRED.fullmatch(header):
        return Sense.BARRED
    if _ALLOWED.fullmatch(header):
        return Sense.ALLOWED
    return Sense.WORDS if _WORDS.fullmatch(header) else None


@lru_cache(maxsize=8192)
def is_barred(cell: str, sense: Sense) -> bool | None:
    """Whether a cell says that its person must not be called; None where it is unclear."""
    plain = _bare(cell)
    letters = "".join(char for char in plain if char.isalnum())
    if sense is Sense.WORDS:
        return any(_WORD_FOR_IT.fullmatch(_letters(part)) for part in re.split(r"[,;|/\n]| - ", plain))
    if not plain:
        return False
    if _BARRING.fullmatch(letters):
        return True
    if _ALLOWING.fullmatch(letters):
        return False
    yes = sense is Sense.BARRED
    plain = plain.removesuffix(".0")
    if plain in _YES or letters in _YES or (_DATE.fullmatch(plain) and plain not in _NO):
        return yes
    return not yes if plain in _NO or letters in _NO else None


def _bare(cell: str) -> str:
    """Without case and accents."""
    spread = unicodedata.normalize("NFD", cell.strip().casefold())
    return "".join(char for char in spread if not "\u0300" <= char <= "\u036f")


def _letters(text: str) -> str:
    return "".join(char for char in text if char.isalnum())
