"""An address book of a phone or mail program (vCard 2.1, 3.0 or 4.0) -> one row for each contact.

Pictures, keys and sounds are passed over. The columns have the names of `columns.CHOICES`, so that they read in any language.
"""

import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass

from clients.importing.reader.table import MAX_CELL, MAX_ROWS, Cell, Rows, Table, Unreadable

COLUMNS = ("last_name", "first_name", "middle_name", "name", "mobile", "phone", "email", "birthday", "street", "postcode",
           "city", "country", "note", "language")  # fmt: skip
MULTIPLE = " ::: "
_WANTED = {"N", "FN", "ORG", "TEL", "EMAIL", "BDAY", "ADR", "NOTE", "LANG", "X-ABLABEL", "VERSION"}
_MOBILE = ("cell", "iphone", "mobil", "portable", "handy", "natel", "gsm")
_BEGIN = re.compile(r"^BEGIN:VCARD", re.IGNORECASE | re.MULTILINE)
# How BEGIN and END begin. A line that begins with space belongs to the one before it.
_FRAME = frozenset("BbEe\ufeff")
_NO_PHONE = {"fax", "pager", "modem"}
# The largest part of a line that may come before its value.
_MAX_HEAD = 1_000
_MIDNIGHT = re.compile(r"(\d{4}-?\d\d-?\d\d)T00:?00(?::?00)?(?:\.0+)?(?:Z|[+-]\d\d:?(?:\d\d)?)?")


@dataclass(frozen=True)
class Property:
    """One line of a contact: "item1.TEL;TYPE=CELL;PREF=1:0612345678". `types` are in lower case; a lower `rank` is preferred."""

    group: str
    name: str
    types: frozenset[str]
    rank: int
    parameters: dict[str, str]
    value: str


def read(text: str, encoding: str) -> Table:
    """Return a row for each contact that holds anything. Raises Unreadable for a file that breaks off or is too large."""
    if len(_BEGIN.findall(text)) > MAX_ROWS:
        raise Unreadable("too_many_rows")
    rows = Rows()
    rows.add(0, list[Cell](COLUMNS))
    for number, lines in enumerate(_contacts(text), start=1):
        rows.add(number, list[Cell](_row(_properties(lines, number))))
    if len(rows.filled) == 1:
        raise Unreadable("empty")
    return Table("vcard", *rows.finished(), encoding)


def _contacts(text: str) -> Iterator[list[str]]:
    """Yield the lines of each contact. One inside another, as an agent is in 2.1, is passed over."""
    depth = number = 0
    lines: list[str] = []
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if depth and line[:1] not in _FRAME:
            if depth == 1:
                lines.append(line)
            continue
        word = line.strip("\ufeff \t").upper()
        if word.startswith("BEGIN:"):
            depth += 1
            if depth == 1:
                number, lines = number + 1, []
        elif word.startswith("END:") and depth:
            depth -= 1
            if depth == 0:
                yield lines
        elif depth == 1:
            lines.append(line)
        elif depth == 0 and word:
            raise Unreadable("damaged")
    if depth:
        raise Unreadable("open_card", number)


def _properties(lines: list[str], number: int) -> list[Property]:
    is_old = any(line[:1] in "Vv" and line.strip().upper() == "VERSION:2.1" for line in lines)
    found = []
    for line in _unfolded(lines, is_old=is_old):
        one = _property(line)
        if one is not None and one.name in _WANTED:
            if len(one.value) > MAX_CELL:
                raise Unreadable("long_cell", number)
            found.append(one)
    return found


def _unfolded(lines: list[str], *, is_old: bool) -> Iterator[str]:
    """Yield whole lines. A line goes on in the next that begins with space, and in quoted-printable after a "=" at its end."""
    parts: list[str] = []
    goes_on = False
    for line in lines:
        if goes_on:
            parts.append(line)
        elif parts and line[:1] in {" ", "\t"}:
            parts.append(line if is_old else line[1:])
        else:
            if parts:
                yield "".join(parts)
            parts = [line]
        goes_on = line.endswith("=") and "QUOTED-PRINTABLE" in parts[0][:_MAX_HEAD].upper()
        if goes_on:
            parts[-1] = line[:-1]
    if parts:
        yield "".join(parts)


def _property(line: str) -> Property | None:
    """Return a line's parts, None when it is no property."""
    head, value = _cut(line)
    if value is None:
        return None
    full_name, *words = _split(head, ";", is_head=True)
    group, _dot, name = full_name.strip().rpartition(".")
    types: set[str] = set()
    parameters: dict[str, str] = {}
    for word in words:
        key, equals, given = word.partition("=")
        given = given.strip().strip('"')
        if not equals or key.strip().upper() == "TYPE":
            # In 2.1 a type stands alone: TEL;CELL;PREF.
            types |= {part.strip().strip('"').lower() for part in (given if equals else key).split(",")}
        else:
            parameters[key.strip().upper()] = given
    preference = parameters.get("PREF", "")
    rank = (
        int(preference)
        if preference.isascii() and preference.isdigit() and len(preference) < 4
        else 1
        if "pref" in types
        else 100
    )
    return Property(group.lower(), name.upper(), frozenset(types), rank, parameters, _decoded(value, types, parameters))


def _cut(line: str) -> tuple[str, str | None]:
    """Return what stands before and after the first colon that is not in quotation marks."""
    head, colon, value = line.partition(":")
    if not colon or (len(head) > _MAX_HEAD and '"' not in head):
        return "", None
    if '"' not in head:
        return head, value
    is_quoted = False
    for index, char in enumerate(line[:_MAX_HEAD]):
        is_quoted ^= char == '"'
        if char == ":" and not is_quoted:
            return line[:index], line[index + 1 :]
    return "", None


def _decoded(value: str, types: set[str], parameters: dict[str, str]) -> str:
    if "quoted-printable" not in types and parameters.get("ENCODING", "").upper() not in {"QUOTED-PRINTABLE", "Q"}:
        return value
    raw = quopri.decodestring(value.encode("utf-8"))
    charset = parameters.get("CHARSET", "utf-8").lower()
    for encoding in (charset, "utf-8"):
        try:
            return raw.decode(encoding)
        except (UnicodeDecodeError, LookupError, OSError):
            continue
    return raw.decode("latin-1")


def _split(text: str, separator: str, *, is_head: bool = False) -> list[str]:
    """Split at separators that are not escaped and, before the value of a line, not in quotation marks."""
    if "\\" not in text and not (is_head and '"' in text):
        return text.split(separator)
    parts, start, is_quoted, is_escaped = [], 0, False, False
    for index, char in enumerate(text):
        if is_escaped:
            is_escaped = False
        elif char == "\\":
            is_escaped = True
        elif char == '"' and is_head:
            is_quoted = not is_quoted and text.find('"', index + 1) > 0
        elif char == separator and not is_quoted:
            parts.append(text[start:index])
            start = index + 1
    return [*parts, text[start:]]


def _plain(text: str) -> str:
    """Return text without its escapes: backslash n is a line break, any other escaped character itself."""
    return re.sub(r"\\(.)", lambda match: "\n" if match[1] in "nN" else match[1], text).strip() if "\\" in text else text.strip()


def _row(properties: list[Property]) -> list[str]:
    """Return the cells of one contact, in the order of COLUMNS."""
    by_name: dict[str, list[Property]] = {}
    for one in sorted(properties, key=lambda one: one.rank):
        by_name.setdefault(one.name, []).append(one)
    labels = {one.group: one.value.lower() for one in by_name.get("X-ABLABEL", ()) if one.group}
    cells = dict.fromkeys(COLUMNS, "")
    cells.update(_names(by_name))
    cells.update(_address(by_name.get("ADR", [])))
    mobile: list[str] = []
    other: list[str] = []
    for one in by_name.get("TEL", ()):
        kind = f"{' '.join(one.types)} {labels.get(one.group, '')}"
        number = _plain(one.value).removeprefix("tel:").partition(";")[0]
        if number and (not one.types & _NO_PHONE or "cell" in one.types):
            (mobile if any(word in kind for word in _MOBILE) else other).append(number)
    cells["mobile"], cells["phone"] = MULTIPLE.join(mobile), MULTIPLE.join(other)
    cells["email"] = MULTIPLE.join(_plain(one.value) for one in by_name.get("EMAIL", ()) if one.value.strip())
    cells["note"] = "\n".join(_plain(one.value) for one in by_name.get("NOTE", ()))
    cells["birthday"] = next((_birthday(one) for one in by_name.get("BDAY", ())), "")
    cells["language"] = next((_plain(one.value) for one in by_name.get("LANG", ())), "")
    return [cells[name] for name in COLUMNS]


def _names(by_name: dict[str, list[Property]]) -> dict[str, str]:
    """Return last, first and middle name; where the contact has none, the name it is shown by, or that of its company."""
    for one in by_name.get("N", ()):
        last, first, middle, *_rest = [*(_plain(part.replace(",", " ")) for part in _split(one.value, ";")), "", "", ""]
        if last or first:
            return {"last_name": last, "first_name": first, "middle_name": middle}
    for one in (*by_name.get("FN", ()), *by_name.get("ORG", ())):
        if name := _plain(_split(one.value, ";")[0]):
            return {"name": name}
    return {}


def _address(addresses: list[Property]) -> dict[str, str]:
    """Return the first address that holds anything. Its parts: box, addition, street, town, region, postcode, country."""
    for one in addresses:
        parts = [*(re.sub(r"\s*\n\s*", ", ", _plain(part)) for part in _split(one.value, ";")), *[""] * 7][:7]
        box, addition, street, city, _region, postcode, country = parts
        if any(parts):
            return {"street": street or addition or box, "city": city, "postcode": postcode, "country": country}
    return {}


def _birthday(one: Property) -> str:
    text = _plain(one.value)
    if match := _MIDNIGHT.fullmatch(text):
        text = match[1]
    # A phone that was told no year writes one that has the day and says which it is.
    omitted = one.parameters.get("X-APPLE-OMIT-YEAR")
    return f"--{text[len(omitted) :].lstrip('-')}" if omitted and text.startswith(omitted) else text
