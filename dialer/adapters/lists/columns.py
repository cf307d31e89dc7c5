"""Which column of a list holds what.

Guessed, from headers people really use, are the phone and the name; the country or calling code that completes numbers
without a "+"; and who must not be called. Time zone, state and key decide when and how somebody is called, so they are
used only when named. Two columns that could both be the phone are refused, with one exception: a plain one ("Mobile
Number") goes before a qualified one ("WhatsApp", "Phone 2").
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from dialer.adapters.lists.do_not_call_marks import Sense, sense_of
from dialer.domain.campaign import ContactColumns
from dialer.errors import InputFileError

REJECT_COLUMNS = ("reject_line", "reject_reason", "reject_remedy")
"""What our rejects file adds; left out when it is read again."""

_PLAIN_PHONE = re.compile(
    r"(primary)?(phone|telephone|tel|mobile|mobilephone|cell|cellphone|handphone|msisdn)(no|num|number)?"
    r"|contact(no|num|number|phone|mobile|phoneno|phonenumber|mobileno|mobilenumber)"
    r"|(numerode|numero)?(telefono|movil|celular|telefonomovil|telefonocelular|telefone|telemovel|telephone)"
    r"|(mobil)?telefon(nummer)?|handy(nummer)?|mobilnummer|rufnummer|telefoonnummer|(numerodi)?cellulare|portable"
    r"|(номер)?(телефон|телефона)|मोबाइल(नंबर)?|फोन(नंबर)?|电话(号码)?|手机(号|号码)?|電話(番号)?|携帯(電話)?|(رقم)?الهاتف"
)
_QUALIFIED_PHONE = re.compile(
    r"whatsapp(no|number)?|(phone|mobile|contact)(no|number)?[12]|(home|work|business|office)(phone|mobile)(no|number)?"
    r"|landline(no|number)?|numero|number"
)
_NAME = re.compile(
    r"(full|contact|person|display)?name|nombre(completo)?|nom(complet)?|nome(completo)?|vollername|naam|nama"
    r"|नाम|姓名|名前|имя|фио|الاسم"
)
_FIRST_NAMES = ("firstname", "givenname", "forename", "vorname", "prenom", "primeironome")
_LAST_NAMES = ("lastname", "surname", "familyname", "nachname", "apellido", "apellidos", "sobrenome")
_OWNERS = re.compile(r"^(?:customer|client|lead|patient|student|member|guest|subscriber|borrower|policyholder)s?")
_BRACKETS = re.compile(r"[(\[].*?[)\]]")
_SPACING = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Pc", "Pd"})
_ZONE_HEADERS = frozenset({"timezone", "tz"})
_COUNTRY = re.compile(
    r"(mailing|billing|home|phone|mobile|residence|residential|contact|address)?country"
    r"(name|iso2?|iso3|region|(calling|dial|dialing|dialling|phone|isd)?(code|prefix))?"
    r"|(phone|mobile|telephone|country|international|intl)?(calling|dial|dialing|dialling|isd|phone)(code|prefix)"
    r"|isd|(phone|mobile|country|intl|international)prefix|(phone|mobile)countrycode|countrycode(phone|mobile)"
    r"|nation|land|pays|pais|paese|landesvorwahl|landervorwahl|indicatif(pays)?|prefijo(internacional)?|ddi|देश|国家|国"
)
_AREA = re.compile(r"(area|std|city|regional)code|(orts)?vorwahl|areacodephone|phoneareacode|ddd")
_STATE = re.compile(
    r"(mailing|billing|home|shipping)?(state|province|stateprovince|provincestate|bundesland|provincia|estado|staat)"
    r"(code|name)?"
)
_POSTAL = re.compile(r"(mailing|billing|home|shipping)?(zip|zipcode|postal|postalcode|postcode|pincode|plz)")
_OTHER_PHONE = re.compile(
    r"(alternate|alternative|alt|other|secondary|second|emergency)(phone|mobile|contact|number)(no|number)?"
)
_NOT_OBEYED = (
    (_STATE, "state", "is not used for calling hours and holidays"),
    (_POSTAL, "postal_code", "is not used for calling hours"),
)


@dataclass(frozen=True, slots=True)
class ChosenColumns:
    """Positions in a row. ``name`` joins one or more cells; ``variables`` are (header text, position)."""

    phone: int
    name: tuple[int, ...]
    timezone: int | None
    region: int | None
    key: int | None
    variables: tuple[tuple[str, int], ...]
    notes: tuple[str, ...]
    event: int | None = None
    state: int | None = None
    postal_code: int | None = None
    trust_timezone: bool = False
    countries: tuple[int, ...] = ()
    """Columns with a country or calling code that nobody named: they complete numbers without a plus."""
    marks: tuple[tuple[int, Sense], ...] = ()
    """Columns that say who must not be called."""


def header_row(rows: Sequence[Sequence[str]], phone: str = "") -> int:
    """Which of the first rows of a table holds the column names, among them the phone's; -1 when none does.

    What stands above is a title: fewer cells are filled there. Rows with data are never names.
    """
    widest = 0
    for at, row in enumerate(rows):
        names = clean_header(row)
        filled = sum(map(bool, names))
        if filled > widest and not any(map(_looks_like_data, names)) and _Columns(tuple(names), "").tells_phone(phone):
            return at
        widest = max(widest, filled)
    return -1


def clean_header(names: Sequence[str]) -> list[str]:
    """Column names without byte-order marks and blanks around them."""
    return [name.strip("\ufeff").strip() for name in names]


def own_names(names: Sequence[str]) -> tuple[str, ...]:
    """The column names of a list itself, without those a rejects file added."""
    return tuple(name for name in names if name not in REJECT_COLUMNS)


def own_rows(rows: Iterator[tuple[int, Sequence[str]]], names: Sequence[str]) -> Iterator[tuple[int, Sequence[str]]]:
    """The rows without the cells a rejects file added."""
    width, kept = len(names), [i for i, name in enumerate(names) if name not in REJECT_COLUMNS]
    if len(kept) == width:
        return rows
    return ((line, [*(cells[i] for i in kept if i < len(cells)), *cells[width:]]) for line, cells in rows)


def normalised(header: str) -> str:
    """A header without case, accents, spaces, punctuation and brackets; "#" reads as "no"."""
    bare = _BRACKETS.sub(" ", header)
    return "".join(c for c in _plain(bare if bare.strip() else header) if c.isalnum() or _is_vowel_sign(c))


def choose_columns(header: Sequence[str], wanted: ContactColumns, place: str, event: str = "") -> ChosenColumns:
    """Match a header to what is wanted; ``event`` names the column with the appointment's time, if there is one.

    Raises InputFileError at ``place`` for doubled headers, a named column that is not there, and when no
    column, or more than one, could be the phone.
    """
    columns = _Columns(tuple(header), place)
    columns.refuse_doubles()
    phone, phone_note = columns.phone(wanted.phone)
    name, name_note = columns.name(wanted.name)
    timezone = columns.named(wanted.timezone, "timezone") if wanted.timezone else None
    region = columns.named(wanted.region, "region") if wanted.region else None
    key = columns.named(wanted.key, "key") if wanted.key else None
    appointment = columns.named(event, "event") if event else None
    single = {phone, timezone, region, key, *(name if len(name) == 1 else ())}
    state = columns.named(wanted.state, "state") if wanted.state else None
    postal_code = columns.named(wanted.postal_code, "postal_code") if wanted.postal_code else None
    seen = columns.countries({phone, region, *name})
    marks = columns.marks({phone, region, key, timezone, appointment, *name})
    notes = [
        phone_note,
        name_note,
        columns.zone_note(timezone),
        *columns.country_notes(seen, phone),
        *columns.mark_notes(marks),
        *columns.unused_notes({state, postal_code, region, key}),
        *columns.other_phones(phone),
    ]
    variables = columns.variables(wanted.variables, single)
    return ChosenColumns(
        phone,
        name,
        timezone,
        region,
        key,
        variables,
        tuple(note for note in notes if note),
        appointment,
        state,
        postal_code,
        wanted.trust_timezone,
        seen,
        marks,
    )


@dataclass(frozen=True, slots=True)
class _Columns:
    header: tuple[str, ...]
    place: str

    @property
    def _keys(self) -> list[str]:
        return [normalised(name) for name in self.header]

    def refuse_doubles(self) -> None:
        seen: dict[str, str] = {}
        for name in self.header:
            key = _same(name)
            if key in seen:
                problem = f'two columns have the same name: "{seen[key]}" and "{name}"'
                raise InputFileError(self.place, problem, "Rename or remove one of them")
            if key:
                seen[key] = name

    def named(self, name: str, option: str) -> int:
        if name in self.header:
            return self.header.index(name)
        same = [i for i, other in enumerate(self.header) if _same(other) == _same(name)]
        if same:
            return same[0]
        near = get_close_matches(name.casefold(), [other.casefold() for other in self.header], n=1)
        meant = [other for other in self.header if near and other.casefold() == near[0]]
        remedy = f'Did you mean "{meant[0]}"? ' if meant else ""
        raise InputFileError(
            self.place, f'no column is called "{name}" ({option})', f"{remedy}The list has: {self._listed(self.header)}"
        )

    def phone(self, name: str) -> tuple[int, str]:
        if name:
            at = self.named(name, "phone")
            return at, f'phone numbers from column "{self.header[at]}"'
        matching = self._matching(_PLAIN_PHONE) or self._matching(_QUALIFIED_PHONE)
        if len(matching) == 1:
            return matching[0], f'phone numbers from column "{self.header[matching[0]]}"'
        if matching:
            names = self._listed([self.header[i] for i in matching])
            raise InputFileError(
                self.place, f"more than one column could be the phone: {names}", "Say which with --phone-column"
            )
        raise self._no_phone()

    def name(self, name: str) -> tuple[tuple[int, ...], str]:
        guess = self._matching(_NAME)[:1] or self._first_and_last()
        places = [self.named(name, "name")] if name else guess
        if not places:
            return (), "no column for the name"
        return tuple(places), "names from " + " and ".join(f'column "{self.header[i]}"' for i in places)

    def variables(self, wanted: Sequence[str], taken: set[int | None]) -> tuple[tuple[str, int], ...]:
        chosen: dict[int, str] = {}
        for name in wanted:
            if name != "*":
                at = self.named(name, "variables")
                chosen[at] = self.header[at]
                continue
            for i, header in enumerate(self.header):
                if header and i not in taken:
                    chosen.setdefault(i, header)
        return tuple((header, i) for i, header in chosen.items())

    def zone_note(self, timezone: int | None) -> str:
        unused = [name for name, key in zip(self.header, self._keys, strict=True) if key in _ZONE_HEADERS]
        if timezone is not None or not unused:
            return ""
        return f'column "{unused[0]}" is not used for calling hours; name it under timezone in [contacts] to use it'

    def tells_phone(self, phone: str) -> bool:
        """Whether a column may be the phone: the one called so, or by its name."""
        if phone:
            return any(_same(name) == _same(phone) for name in self.header)
        return bool(self._matching(_PLAIN_PHONE) or self._matching(_QUALIFIED_PHONE))

    def countries(self, taken: set[int | None]) -> tuple[int, ...]:
        return tuple(i for i, key in enumerate(self._keys) if i not in taken and _COUNTRY.fullmatch(key))

    def marks(self, taken: set[int | None]) -> tuple[tuple[int, Sense], ...]:
        senses = ((i, sense_of(key)) for i, key in enumerate(self._keys) if key and i not in taken)
        return tuple((i, sense) for i, sense in senses if sense is not None)

    def country_notes(self, countries: Sequence[int], phone: int) -> list[str]:
        completed = [f'numbers without "+" are completed by column "{self.header[i]}"' for i in countries]
        areas = [self.header[i] for i, key in enumerate(self._keys) if i != phone and _AREA.fullmatch(key)]
        return completed + [f'column "{name}" is not joined to the numbers' for name in areas]

    def mark_notes(self, marks: Sequence[tuple[int, Sense]]) -> list[str]:
        what = {
            Sense.BARRED: 'who is marked in column "{}" is not called',
            Sense.ALLOWED: 'who says no in column "{}" is not called',
        }
        return [what[sense].format(self.header[i]) for i, sense in marks if sense in what]

    def unused_notes(self, taken: set[int | None]) -> list[str]:
        """Columns that would change when somebody is called, had they been named."""
        notes = []
        for known, key, fault in _NOT_OBEYED:
            unused = [self.header[i] for i, own in enumerate(self._keys) if i not in taken and known.fullmatch(own)]
            notes += [f'column "{name}" {fault}; name it under {key} in [contacts] to use it' for name in unused[:1]]
        return notes

    def other_phones(self, phone: int) -> list[str]:
        known = (_PLAIN_PHONE, _QUALIFIED_PHONE, _OTHER_PHONE)
        others = sorted({i for each in known for i in self._matching(each)} - {phone})
        names = self._listed([self.header[i] for i in others])
        return [f"other columns with phone numbers are not used: {names}"] if others else []

    def _first_and_last(self) -> list[int]:
        firsts = [i for i, key in enumerate(self._keys) if key in _FIRST_NAMES]
        lasts = [i for i, key in enumerate(self._keys) if key in _LAST_NAMES]
        return [*firsts[:1], *lasts[:1]]

    def _matching(self, known: re.Pattern[str]) -> list[int]:
        return [i for i, key in enumerate(self._keys) if known.fullmatch(key) or known.fullmatch(_OWNERS.sub("", key))]

    def _no_phone(self) -> InputFileError:
        if any(_looks_like_data(name) for name in self.header):
            problem, remedy = "the first line holds data, not column names", "Add a header line, e.g. name,phone"
            return InputFileError(self.place, problem, remedy)
        problem = f"no column is known as the phone; the list has: {self._listed(self.header)}"
        remedy = "Name it with --phone-column; if rows of title stand above the column names, take them out"
        return InputFileError(self.place, problem, remedy)

    @staticmethod
    def _listed(names: Sequence[str]) -> str:
        return ", ".join("a cell with digits" if _looks_like_data(name) else f'"{name}"' for name in names if name)


def _same(name: str) -> str:
    """What makes two headers the same: case, accents, spaces, "_", "-", "." and ":" make no difference."""
    return "".join(c for c in _plain(name) if c not in ".:" and unicodedata.category(c) not in _SPACING)


def _plain(text: str) -> str:
    spread = unicodedata.normalize("NFKD", text.replace("#", " no ").casefold())
    return "".join(c for c in spread if not unicodedata.combining(c))


def _is_vowel_sign(char: str) -> bool:
    """Marks that are letters of their script, as in Devanagari; accents are gone by then."""
    return unicodedata.category(char).startswith("M")


def _looks_like_data(name: str) -> bool:
    return sum(char.isdecimal() for char in name) >= 7
