"""What staff type about a client, checked field by field. Forms read and check; they never save."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from email_validator import EmailNotValidError, validate_email

from clients import sheets, wording
from clients.grid import Cell
from clients.models import CameThrough, Channel, Client, ClientLink
from salon.core import phone
from salon.core.countries import codes
from salon.core.errors import Refused
from salon.core.lines import Line

BIRTH = ("birth_day", "birth_month", "birth_year")
ADDRESS = ("street", "postcode", "city", "country")


def _text(label: Any, length: int, **attrs: str) -> Line:
    widget = forms.TextInput(attrs={"autocomplete": "off", **attrs})
    return Line(label=label, max_length=length, required=False, widget=widget, show_hidden_initial=True)


def _number(label: Any, low: int, high: int) -> forms.IntegerField:
    widget = forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric", "maxlength": str(len(str(high)))})
    return forms.IntegerField(
        label=label, min_value=low, max_value=high, required=False, widget=widget, show_hidden_initial=True,
        error_messages={"invalid": lazy("Enter the date of birth in numbers, like 4 4 1991.")},
    )  # fmt: skip


def read_email(text: str) -> str:
    """Return the address in lower case, nothing for nothing; whether its domain exists is not asked.

    Raises ValidationError for what is no address.
    """
    text = text.strip()
    try:
        return validate_email(text, check_deliverability=False, allow_smtputf8=False).normalized.lower() if text else ""
    except EmailNotValidError as error:
        raise forms.ValidationError(_("Enter an e-mail address, like anna@example.org")) from error


def _read_phone(text: str, country: str) -> str:
    """Return the number as E.164. Raises ValidationError for what is no number."""
    try:
        return phone.read(text, country)
    except Refused as refused:
        raise forms.ValidationError(refused.message) from refused


class AddressForm(forms.Form):
    """The address of a card. The hidden first value of each field tells a conflict from a change."""

    street = _text(lazy("Street"), 150)
    postcode = _text(lazy("Postcode"), 20)
    city = _text(lazy("Town"), 100)
    country = _text(lazy("Country (two letters)"), 2)

    def __init__(self, *args: Any, country: str, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.salon_country = country
        self.today = today

    def clean_country(self) -> str:
        """Return the two capitals of a country, or nothing."""
        text: str = self.cleaned_data["country"].strip().upper()
        if text and text not in codes():
            raise forms.ValidationError(_("There is no such country. Enter it as two letters, like FR."))
        return text


class ClientForm(AddressForm):
    """Main data and address of a card."""

    first_name = _text(lazy("First name"), 100)
    last_name = _text(lazy("Last name"), 100)
    phone = _text(lazy("Phone"), 40, inputmode="tel")
    email = _text(lazy("E-mail"), 254, inputmode="email", spellcheck="false")
    birth_day = _number(lazy("Day"), 1, 31)
    birth_month = _number(lazy("Month"), 1, 12)
    birth_year = _number(lazy("Year"), 1900, 9999)
    language = forms.ChoiceField(label=lazy("Language"), choices=settings.LANGUAGES, show_hidden_initial=True)
    # The order of the page: so the list of faults goes down the page.
    field_order = ("first_name", "last_name", "phone", "email", *BIRTH, "language", *ADDRESS)

    def __init__(self, *args: Any, country: str, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, country=country, today=today, **kwargs)
        self.fields["phone"].help_text = _("For example %(example)s") % {"example": phone.example(country)}

    @property
    def birth_fields(self) -> list[forms.BoundField]:
        """Return day, month and year, which stand in one line."""
        return [self[name] for name in BIRTH]

    @property
    def has_address(self) -> bool:
        """Return whether the folded address must be open: it holds something, or a fault."""
        return any(self[name].value() or self[name].errors for name in ADDRESS)

    def clean_phone(self) -> str:
        """Return the number as E.164, read in the salon's country."""
        text = self.cleaned_data["phone"].strip()
        return _read_phone(text, self.salon_country) if text else ""

    def clean_email(self) -> str:
        """Return the address in lower case."""
        return read_email(self.cleaned_data["email"])

    def clean(self) -> dict[str, Any]:
        """Check the date of birth as a whole: a day and a month, the year if it is known."""
        data = super().clean() or self.cleaned_data
        day, month, year = (data.get(name) for name in BIRTH)
        if any(name in self.errors for name in BIRTH):
            return data
        if (day is None) != (month is None) or (year is not None and day is None):
            self.add_error("birth_day", _("Enter the day and the month of birth, the year if you know it."))
        elif day is not None and month is not None:
            try:
                born = dt.date(year or 2000, month, day)
            except ValueError:
                self.add_error("birth_day", _("There is no such day."))
            else:
                if year and born > self.today:
                    self.add_error("birth_year", _("The date of birth is in the future."))
        return data


class DetailsForm(forms.Form):
    """What else the salon knows about a client."""

    preferred_channel = forms.ChoiceField(
        label=lazy("Likes to be reached by"), required=False, choices=[("", lazy("Not asked")), *Channel.choices],
        show_hidden_initial=True,
    )  # fmt: skip
    came_through = forms.ChoiceField(
        label=lazy("Found us through"), required=False, choices=[("", lazy("Not known")), *CameThrough.choices],
        show_hidden_initial=True,
    )  # fmt: skip

    def __init__(self, *args: Any, country: str, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)


class TagForm(forms.Form):
    """A tag to put on a card."""

    name = Line(label=lazy("Tag"), max_length=40, widget=forms.TextInput(attrs={"autocomplete": "off", "list": "tag-names"}))


class ManyTagsForm(TagForm):
    """A tag for many cards: a name to put on them, or one of `known`, those that some of them have, to take off."""

    def __init__(self, *args: Any, known: Sequence[tuple[Any, int]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if known:
            offers = [(str(tag.pk), f"{tag.name} ({count})") for tag, count in known]
            self.fields["name"] = forms.ChoiceField(label=lazy("Tag"), choices=offers)
        self.fields["name"].widget.attrs["autofocus"] = True


class FilterNameForm(forms.Form):
    """The name under which filters of the list are kept."""

    name = Line(label=lazy("Name"), max_length=60, widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True}))


class ContactForm(forms.Form):
    """A further phone number or e-mail: which of the two it is follows from what was typed."""

    address = Line(
        label=lazy("Phone or e-mail"), max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
    label = Line(
        label=lazy("Whose, or what for"), max_length=60, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=lazy("For example: work, mother"),
    )  # fmt: skip

    def __init__(self, *args: Any, country: str, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "contact_%s", **kwargs})
        self.salon_country = country

    def clean_address(self) -> str:
        """Return an e-mail in lower case or a number as E.164."""
        text = self.cleaned_data["address"]
        return read_email(text) if "@" in text else _read_phone(text, self.salon_country)

    @property
    def channel(self) -> str:
        """Return the channel of the checked address."""
        return (Channel.EMAIL if "@" in self.cleaned_data["address"] else Channel.SMS).value


class LinkForm(forms.Form):
    """Who belongs to a client, and what they are to them."""

    kind = forms.ChoiceField(label=lazy("Is the client's"), choices=ClientLink.Kind.choices)
    other = forms.IntegerField(widget=forms.HiddenInput)


class SheetForm(forms.Form):
    """A signed privacy form: the day, and each box as it was ticked. What is left empty changes nothing."""

    signed_on = forms.DateField(
        label=lazy("Day of the signature"), widget=forms.DateInput(attrs={"type": "date", "class": "s-w-md"}, format="%Y-%m-%d")
    )

    photo = forms.FileField(
        label=lazy("Photo of the signed sheet"), required=False,
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,application/pdf"}),
        help_text=lazy("JPEG, PNG or PDF, up to 8 MB. It is the proof, kept encrypted; who looks at it is written down."),
    )  # fmt: skip

    def __init__(self, *args: Any, cells: Sequence[Cell], is_too_large: bool = False, **kwargs: Any) -> None:
        """Make the form. `is_too_large`: the request was so long that its file was not even kept."""
        super().__init__(*args, **kwargs)
        self.cells, self.is_too_large = cells, is_too_large
        for cell in cells:
            self.fields[cell.key] = forms.ChoiceField(
                label=f"{cell.title}, {cell.label}" if cell.label else str(cell.title), required=False,
                choices=[("yes", lazy("Yes")), ("no", lazy("No"))],
            )  # fmt: skip

    def clean_photo(self) -> sheets.Sheet | None:
        """Return the sheet in the upload, read, or None without one."""
        file = self.cleaned_data["photo"]
        try:
            if self.is_too_large:
                raise sheets.too_large()
            return sheets.read(file.read()) if file else None
        except Refused as refused:
            raise forms.ValidationError(refused.message) from refused

    @property
    def ticks(self) -> dict[tuple[str, str], str]:
        """Return what was ticked, by (purpose, channel)."""
        ticked = ((cell, self.cleaned_data[cell.key]) for cell in self.cells)
        return {(cell.purpose, cell.channel): answer for cell, answer in ticked if answer}

    def clean(self) -> dict[str, Any]:
        """Ask for one box at least: a form without any says nothing."""
        data = super().clean() or self.cleaned_data
        if not self.errors and not self.ticks:
            raise forms.ValidationError(_("Tick at least one box, as on the paper."))
        return data


class NoteForm(forms.Form):
    """The note that stays on the card."""

    note = forms.CharField(
        label=lazy("Client note"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=lazy("Shown at every visit. The client does not see it, but it is part of the copy the client may ask for."),
    )  # fmt: skip
    version = forms.IntegerField(widget=forms.HiddenInput)


class WordingForm(forms.Form):
    """New words for a Yes."""

    body = forms.CharField(label=lazy("Wording"), max_length=wording.LONGEST, widget=forms.Textarea(attrs={"rows": 5}))


def first_values(client: Client, country: str, form: type[AddressForm] | type[DetailsForm] = ClientForm) -> dict[str, Any]:
    """Return what a form shows of a card: the phone as people in the salon's country write it."""
    values = {name: getattr(client, name) for name in form.base_fields}
    return {**values, "phone": phone.show(str(client.phone or ""), country)} if "phone" in values else values
