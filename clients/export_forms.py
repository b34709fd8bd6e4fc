"""The form of an export: columns, who of the list, what for."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from clients.exporting import columns, people
from clients.exporting.people import Wanted
from clients.models import Channel
from salon.core.lines import Line
from salon.core.models import User

WHO = (
    (people.ALL, lazy("All")),
    (Channel.EMAIL.value, lazy("Yes to e-mail")),
    (Channel.SMS.value, lazy("Yes to SMS")),
)


class Shown(forms.PasswordInput):
    """A password that is seen while it is typed: with a slip in it nobody would ever open the file."""

    input_type = "text"


class ExportForm(forms.Form):
    """What somebody wants in the file. Columns for marketing decide who is in it, whatever else is chosen."""

    preset = forms.ChoiceField(
        label=lazy("Columns"), choices=[(name, preset.label) for name, preset in columns.PRESETS.items()],
        widget=forms.RadioSelect,
    )  # fmt: skip
    who = forms.ChoiceField(
        label=lazy("Who"), choices=WHO, widget=forms.RadioSelect(attrs={"class": "s-segment"}), required=False
    )
    purpose = Line(
        label=lazy("Purpose"), max_length=200, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=lazy("One line, for example: Christmas cards. It stands in the file and in the log."),
    )  # fmt: skip

    password = forms.CharField(
        label=lazy("Password"), max_length=100, required=False, strip=False,
        widget=Shown(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}, render_value=True),
        help_text=lazy("Excel asks for it. Note it down: nobody can open the file without it, and it cannot be recovered."),
    )  # fmt: skip

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        """Return the password of the file, if there is to be one. Weak ones get a sentence, as for an account."""
        password = str(self.cleaned_data["password"])
        if not password.isprintable():
            raise ValidationError(_("Use letters, digits, signs and plain spaces, so that it can be typed again in Excel."))
        if password:
            validate_password(password, self.user)
        return password

    def presets(self) -> Iterable[tuple[Any, str | Promise]]:
        """Yield the control of each choice of columns, with what is in it."""
        for radio in self["preset"]:
            yield radio, columns.PRESETS[radio.data["value"]].hint

    @property
    def is_for_marketing(self) -> bool:
        """Return whether the chosen columns decide who is in the file."""
        return bool(columns.PRESETS[choices_in({"preset": self["preset"].value()})["preset"]].channel)


def choices_in(given: Mapping[str, Any]) -> dict[str, str]:
    """Return what is chosen in an address or a form that was sent, each something we know."""
    preset, who = given.get("preset"), given.get("who")
    return {
        "preset": str(preset) if preset in columns.PRESETS else columns.CONTACTS,
        "who": str(who) if who in dict(WHO) else people.ALL,
    }


def wanted_of(given: Mapping[str, Any], listed: Mapping[str, Any], ids: tuple[int, ...], but: tuple[int, ...]) -> Wanted:
    """Return the wish: the choices in `given`, of the list without those unticked, or of the ticked clients."""
    which: dict[str, Any] = {name: listed[name] for name in ("text", "status", "sort", "filters")}
    return Wanted(ids=ids, but=but, **{**choices_in(given), **which})
