"""The rows of a sheet -> rows of values, each with what is wrong with it. Reads no database and decides nothing about cards."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from django.utils.translation import gettext as _

from clients.importing import numbers, values
from clients.importing.columns import Column
from clients.importing.names import EMAIL, SMS
from clients.importing.reading import Line, Number, Sheet
from clients.importing.values import Fault

MAX_LENGTH = {"first_name": 100, "last_name": 100, "street": 150, "postcode": 20, "city": 100, "note": 2000}
_MOBILE_LABELS = ("mobil", "cell", "portable", "handy", "natel", "gsm")

Value = str | int


@dataclass(frozen=True)
class Problem:
    """What is wrong in one cell. `row` is the number a spreadsheet shows, `column` the column's own name or empty.

    `who` and `value` are what its reader knows it by: the name in the row, and what stands in the cell.
    """

    row: int
    column: str
    reason: str
    who: str = ""
    value: str = ""


@dataclass
class Row:
    """What one row says: the fields it fills, its answers by channel, why it is refused, what was left out of it."""

    number: int
    cells: tuple[str, ...]
    fields: dict[str, Value] = field(default_factory=dict)
    answers: dict[str, bool] = field(default_factory=dict)
    faults: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    @property
    def who(self) -> str:
        """Return by what a person knows whose row it is: the name, else the e-mail or the phone number."""
        name = f"{self.fields.get('first_name', '')} {self.fields.get('last_name', '')}".strip()
        return name or str(self.fields.get("email") or self.fields.get("phone") or "")


@dataclass(frozen=True)
class _Setting:
    """What the reading of a row depends on beyond the row."""

    country: str
    today: dt.date
    by_field: Mapping[str, Sequence[Column]]
    day_orders: Mapping[int, str]
    width: int
    # Row number -> columns whose formula was saved without a result.
    blanks: Mapping[int, Sequence[Column]]


def read(sheet: Sheet, found: Sequence[Column], *, country: str, today: dt.date) -> list[Row]:
    """Return every row of the sheet as values. `country` (two letters) is the one phone numbers are read in."""
    by_field: dict[str, list[Column]] = defaultdict(list)
    for column in sorted(found, key=lambda one: (one.rank, one.index)):
        by_field[column.field].append(column)
    languages = [column.language for column in found if column.language]
    file_language = max(("fr", "de"), key=languages.count) if languages else ""
    if languages.count(file_language) * 2 < len(languages):
        file_language = ""
    orders = {
        column.index: column.order
        or values.day_order(
            (_cell(line, column) for line in sheet.lines), column.language if column.language != "en" else file_language
        )
        for column in by_field["birthday"]
    }
    blanks: dict[int, list[Column]] = defaultdict(list)
    by_index = {column.index: column for column in found}
    for number, index in sorted(sheet.blanks):
        if index in by_index:
            blanks[number].append(by_index[index])
    setting = _Setting(country, today, by_field, orders, len(sheet.header), blanks)
    return [_row(line, setting) for line in sheet.lines]


def _cell(line: Line, column: Column) -> str:
    return line.cells[column.index] if column.index < len(line.cells) else ""


def _row(line: Line, setting: _Setting) -> Row:
    row = Row(line.number, line.cells)
    if beyond := next((cell for cell in line.cells[setting.width :] if cell.strip()), ""):
        row.faults.append(Problem(row.number, "", _("The row has more cells than the header."), value=beyond))
    for column in setting.blanks.get(line.number, ()):
        reason = _("The formula in this cell was saved without a result: the cell counts as empty.")
        row.warnings.append(Problem(row.number, column.title, reason))
    _read_names(row, line, setting)
    _read_email(row, line, setting)
    _read_phone(row, line, setting)
    _read_birth(row, line, setting)
    _read_rest(row, line, setting)
    _read_answers(row, line, setting)
    for name, value in row.fields.items():
        limit = MAX_LENGTH.get(name)
        if limit and len(str(value)) > limit:
            title = _title(name, setting)
            reason = _("The text is longer than %(limit)s characters.") % {"limit": limit}
            row.faults.append(Problem(row.number, title, reason, value=str(value)))
    if not row.faults and not any(row.fields.get(name) for name in ("first_name", "last_name", "phone")):
        row.faults.append(Problem(row.number, "", _("There is neither a name nor a phone number.")))
    if row.faults or row.warnings:
        row.faults, row.warnings = _told_of(row, row.faults), _told_of(row, row.warnings)
    return row


def _told_of(row: Row, problems: Sequence[Problem]) -> list[Problem]:
    """Return the problems with whose row it is, which is known only when all of it was read."""
    return [replace(problem, who=row.who) for problem in problems]


def _title(name: str, setting: _Setting) -> str:
    named = setting.by_field.get(name) or setting.by_field.get("name") or ()
    return named[0].title if named else ""


def _first(line: Line, columns: Iterable[Column], read: Callable[[str], str] = values.clean) -> str:
    """Return the first filled cell among columns of one field."""
    for column in columns:
        if text := read(_cell(line, column)):
            return text
    return ""


def _put(row: Row, name: str, value: Value | None) -> None:
    if value:
        row.fields[name] = value


def _read_names(row: Row, line: Line, setting: _Setting) -> None:
    first = _first(line, setting.by_field.get("first_name", ()))
    middle = _first(line, setting.by_field.get("middle_name", ()))
    last = _first(line, setting.by_field.get("last_name", ()))
    if not first and not last:
        first, last = values.split_name(_first(line, setting.by_field.get("name", ())))
    _put(row, "first_name", f"{first} {middle}".strip() if middle and middle not in first.split() else first)
    _put(row, "last_name", last)


def _read_email(row: Row, line: Line, setting: _Setting) -> None:
    cells = [(column, part) for column in setting.by_field.get("email", ()) for part in values.several(_cell(line, column))]
    if not cells:
        return
    column, text = cells[0]
    try:
        row.fields["email"] = values.email(text)
    except Fault as fault:
        row.faults.append(Problem(row.number, column.title, fault.message, value=text))
    if len(cells) > 1:
        reason = _("A card holds one e-mail address: the others are left out.")
        row.warnings.append(Problem(row.number, cells[1][0].title, reason, value=cells[1][1]))


def _read_phone(row: Row, line: Line, setting: _Setting) -> None:
    """Read the first mobile number, else the first number."""
    labels = {column.rank: values.plain(_cell(line, column)) for column in setting.by_field.get("phone_label", ())}
    cells = []
    for order, name in enumerate(("mobile", "phone", "home_phone")):
        for column in setting.by_field.get(name, ()):
            is_mobile = any(word in labels.get(column.rank, "") for word in _MOBILE_LABELS)
            cell = _cell(line, column)
            parts = [cell] if isinstance(cell, Number) else values.several(cell)
            cells += [(0 if is_mobile else order, column, part) for part in parts]
    if not cells:
        return
    _order, column, text = min(cells, key=lambda cell: cell[0])
    try:
        row.fields["phone"] = phone = numbers.phone(text, setting.country)
    except Fault as fault:
        row.faults.append(Problem(row.number, column.title, fault.message, value=text))
    else:
        if reason := numbers.doubt(text, phone, setting.country):
            row.warnings.append(Problem(row.number, column.title, reason, value=text))
    if len(cells) > 1:
        reason = _("A card holds one phone number: the others are left out.")
        row.warnings.append(Problem(row.number, cells[1][1].title, reason, value=cells[1][2]))


def _read_birth(row: Row, line: Line, setting: _Setting) -> None:
    for column in setting.by_field.get("birthday", ()):
        if not values.clean(_cell(line, column)):
            continue
        try:
            birth = values.birthday(_cell(line, column), setting.day_orders[column.index], setting.today)
        except Fault as fault:
            row.warnings.append(Problem(row.number, column.title, fault.message, value=_cell(line, column)))
            return
        _put(row, "birth_day", birth.day)
        _put(row, "birth_month", birth.month)
        _put(row, "birth_year", birth.year)
        return
    parts = {name: _first(line, setting.by_field.get(name, ())) for name in ("birth_day", "birth_month", "birth_year")}
    if any(parts.values()):
        text = (
            f"{parts['birth_day']}.{parts['birth_month']}.{parts['birth_year']}"
            if parts["birth_day"] or parts["birth_month"]
            else parts["birth_year"]
        )
        try:
            birth = values.birthday(text, values.DAY_FIRST, setting.today)
        except Fault as fault:
            row.warnings.append(Problem(row.number, _title("birth_day", setting), fault.message, value=text))
            return
        _put(row, "birth_day", birth.day)
        _put(row, "birth_month", birth.month)
        _put(row, "birth_year", birth.year)


def _read_rest(row: Row, line: Line, setting: _Setting) -> None:
    for name in ("street", "city"):
        _put(row, name, _first(line, setting.by_field.get(name, ())))
    _put(row, "note", _first(line, setting.by_field.get("note", ()), values.clean_lines))
    _put(row, "language", values.language(_first(line, setting.by_field.get("language", ()))))
    if country := _first(line, setting.by_field.get("country", ())):
        try:
            row.fields["country"] = values.country(country)
        except Fault as fault:
            row.warnings.append(Problem(row.number, _title("country", setting), fault.message, value=country))
    country = str(row.fields.get("country", setting.country))
    try:
        _put(row, "postcode", _first(line, setting.by_field.get("postcode", ()), lambda cell: numbers.postcode(cell, country)))
    except Fault as fault:
        value = _first(line, setting.by_field.get("postcode", ()))
        row.warnings.append(Problem(row.number, _title("postcode", setting), fault.message, value=value))


def _read_answers(row: Row, line: Line, setting: _Setting) -> None:
    """Read what the row says about marketing. Where it says both about a channel, the no stands."""
    for column in setting.by_field.get("consent", ()):
        try:
            said = values.yes_or_no(_cell(line, column))
        except Fault as fault:
            row.warnings.append(Problem(row.number, column.title, fault.message, value=_cell(line, column)))
            continue
        if said is None or (column.is_inverted and not said):
            continue
        for channel in column.channels or (EMAIL, SMS):
            row.answers[channel] = row.answers.get(channel, True) and said and not column.is_inverted
