"""The header of a list -> which column holds what: as its names say, or as a person corrected it by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.importing import names
from salon.core.errors import Refused

DAY_FIRST, MONTH_FIRST = "day first", "month first"

# What a person may choose for a column: value -> its name. "" leaves the column out.
CHOICES: Mapping[str, Promise] = {
    "": gettext_lazy("Leave out"),
    "first_name": gettext_lazy("First name"),
    "middle_name": gettext_lazy("Middle name"),
    "last_name": gettext_lazy("Last name"),
    "name": gettext_lazy("Whole name"),
    "email": gettext_lazy("E-mail"),
    "mobile": gettext_lazy("Mobile phone"),
    "phone": gettext_lazy("Phone"),
    "home_phone": gettext_lazy("Second phone"),
    "phone_label": gettext_lazy("Kind of phone"),
    "birthday": gettext_lazy("Birthday"),
    "birthday:day first": gettext_lazy("Birthday, day before month"),
    "birthday:month first": gettext_lazy("Birthday, month before day"),
    "birth_day": gettext_lazy("Birthday: day alone"),
    "birth_month": gettext_lazy("Birthday: month alone"),
    "birth_year": gettext_lazy("Birthday: year alone"),
    "street": gettext_lazy("Street"),
    "postcode": gettext_lazy("Postcode"),
    "city": gettext_lazy("Town"),
    "country": gettext_lazy("Country"),
    "note": gettext_lazy("Note"),
    "language": gettext_lazy("Language"),
    "consent:email": gettext_lazy("Marketing by e-mail: yes or no"),
    "consent:sms": gettext_lazy("Marketing by SMS: yes or no"),
    "consent:email+sms": gettext_lazy("Marketing: yes or no"),
    "refusal:email": gettext_lazy("Unsubscribed from e-mail: a yes is a no"),
    "refusal:sms": gettext_lazy("Unsubscribed from SMS: a yes is a no"),
    "refusal:email+sms": gettext_lazy("Unsubscribed: a yes is a no"),
}
# A card has one of each. Of the others several columns may stand side by side: the first that holds something counts.
_SINGLE = ("first_name", "middle_name", "last_name", "name", "birthday", "birth_day", "birth_month", "birth_year",
           "street", "postcode", "city", "country", "language")  # fmt: skip


@dataclass(frozen=True)
class Column:
    """What a column holds. `rank` orders several of one field; `language` is that of its name ("" when it has none)."""

    index: int
    title: str
    field: str
    rank: int = 0
    channels: tuple[str, ...] = ()
    # A column like "Unsubscribed": a yes in it is a no.
    is_inverted: bool = False
    language: str = ""
    # The order of day and month that a person named: DAY_FIRST, MONTH_FIRST or "" for what the dates themselves show.
    order: str = ""


def recognise(header: Sequence[str]) -> list[Column]:
    """Return the columns whose names are known, in the order of the file. The others are left alone."""
    found = [column for index, title in enumerate(header) if (column := _column(index, title)) is not None]
    fields = {column.field for column in found}
    if "first_name" in fields and "last_name" not in fields:
        return [replace(column, field="last_name") if _is_plain_name(column) else column for column in found]
    return found


def chosen(header: Sequence[str], fields: Mapping[int, str]) -> list[Column]:
    """Return the columns as a person set them: `fields` is {index: a key of CHOICES}. A column not in it stays as recognised.

    Raises Refused for a column or choice that there is not, for two columns of one kind of which a person chose one, and
    when neither a name nor a phone number is left.
    """
    recognised = {column.index: column for column in recognise(header)}
    found = dict(recognised)
    by_hand = set()
    for index, choice in fields.items():
        if choice not in CHOICES or not 0 <= index < len(header):
            raise Refused(_("There is no such column or choice. Open the file again."))
        if index in recognised and choice == choice_of(recognised[index]):
            continue
        found.pop(index, None)
        if choice:
            found[index] = _made(index, header[index], choice)
            by_hand.add(index)
    result = [found[index] for index in sorted(found)]
    for field in _SINGLE:
        same = [column for column in result if column.field == field]
        if len(same) > 1 and any(column.index in by_hand for column in same):
            label = CHOICES[field]
            raise Refused(
                _("“%(field)s” is chosen for “%(one)s” and for “%(other)s”. Choose it once.")
                % {"field": label, "one": same[0].title, "other": same[1].title}
            )
    check(result)
    return result


def choice_of(column: Column | None) -> str:
    """Return the key of CHOICES that a column stands at; "" for a column that is left out."""
    if column is None:
        return ""
    if column.field == "consent":
        return f"{'refusal' if column.is_inverted else 'consent'}:{'+'.join(column.channels)}"
    return f"{column.field}:{column.order}" if column.order else column.field


def check(found: Sequence[Column]) -> None:
    """Raise Refused unless the header names something that makes a card: a name or a phone number."""
    if not {column.field for column in found} & {"first_name", "last_name", "name", "phone", "mobile", "home_phone"}:
        raise Refused(
            _(
                "No column with names or phone numbers was recognised. Choose what the columns hold, or name them in the first "
                "row, like Name, Phone, E-mail."
            )
        )


def _made(index: int, title: str, choice: str) -> Column:
    field, _colon, more = choice.partition(":")
    if field in {"consent", "refusal"}:
        return Column(index, title, "consent", channels=tuple(more.split("+")), is_inverted=field == "refusal")
    return Column(index, title, field, order=more)


def _is_plain_name(column: Column) -> bool:
    return column.field == "name" and names.fold(column.title) in {"name", "nom"}


def _column(index: int, title: str) -> Column | None:
    if known := names.field_of(title):
        field, rank, language = known
        return Column(index, title, field, rank=rank, language=language)
    if answer := names.answer_of(title):
        channels, is_inverted = answer
        return Column(index, title, "consent", channels=channels, is_inverted=is_inverted)
    return None
