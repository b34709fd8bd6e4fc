"""Forms of the ground floor: set-up, profile, team, own menu. They say whether a value is well formed and save nothing."""

import datetime as dt
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from salon.core import activity, countries, dates, phone, public, regions
from salon.core.errors import Refused
from salon.core.lines import Line
from salon.core.models import Salon, User
from salon.core.roles import Role
from salon.core.setup import Profile

USUAL = _("As usual in the country")


class ProfileForm(forms.Form):
    """The salon's profile. Zone, currency and language may be left to the country."""

    name = Line(label=_("Name of the salon"), max_length=100)
    street = Line(label=_("Street"), max_length=150, required=False)
    postcode = Line(label=_("Postcode"), max_length=20, required=False)
    city = Line(label=_("Town"), max_length=100, required=False)
    country = forms.ChoiceField(label=_("Country"))
    region = Line(
        label=_("Region"), required=False, widget=forms.Select,
        help_text=_("Some public holidays are the region's own. No offer leaves by SMS on them."),
    )  # fmt: skip
    phone = Line(label=_("Phone"), max_length=40, required=False)
    email = forms.EmailField(label=_("E-mail of the salon"), max_length=254, required=False)
    language = forms.ChoiceField(label=_("Language"), required=False)
    time_zone = forms.ChoiceField(
        label=_("Time zone"), required=False,
        help_text=_("With another one, every appointment that is entered already is shown at another hour."),
    )  # fmt: skip
    currency = forms.ChoiceField(label=_("Currency"), required=False)
    is_mfa_required = forms.BooleanField(
        label=_("Ask owner and managers for a second factor"),
        required=False,
        initial=True,
        help_text=_("A code from an app on the phone, besides the password."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        empty = [("", USUAL)]
        self._choices("country", [("", _("Choose")), *countries.choices()])
        self._choices("language", [*empty, *settings.LANGUAGES])
        self._choices("time_zone", [*empty, *((name, name.replace("_", " ")) for name in countries.zones())])
        self._choices("currency", [*empty, *countries.currencies()])
        country = str(self.data.get("country", "") if self.is_bound else self.initial.get("country", ""))
        widget = self.fields["region"].widget
        assert isinstance(widget, forms.Select)
        widget.choices = [("", _("No holidays of its own")), *regions.of(country)]

    @property
    def has_regions(self) -> bool:
        """Return whether the country has regions with public holidays of their own."""
        widget = self.fields["region"].widget
        assert isinstance(widget, forms.Select)
        return len(list(widget.choices)) > 1

    def _choices(self, name: str, choices: list[Any]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def clean(self) -> dict[str, Any]:
        """Fill from the country what was left to it, and read the phone number in that country."""
        data: dict[str, Any] = super().clean() or {}
        country = data.get("country")
        if not country:
            return data
        is_same = self.initial.get("country", country) == country  # else a region was one of another country
        data["region"] = data.get("region", "") if is_same and regions.name(country, data.get("region", "")) else ""
        data["language"] = data.get("language") or countries.usual_language(country)
        data["currency"] = data.get("currency") or countries.usual_currency(country)
        if not data.get("time_zone") and "time_zone" not in self.errors:
            data["time_zone"] = countries.usual_zone(country)
            if not data["time_zone"]:
                self.add_error("time_zone", _("This country has several time zones: choose one."))
        if data.get("phone"):
            try:
                data["phone"] = phone.read(data["phone"], country)
            except Refused as refused:
                self.add_error("phone", refused.message)
        return data

    def profile(self) -> dict[str, Any]:
        """Return the cleaned fields of the profile by name."""
        return {name: self.cleaned_data[name] for name in ProfileForm.base_fields}

    @classmethod
    def of(cls, salon: Salon) -> dict[str, Any]:
        """Return what the form shows of a salon that exists."""
        values: dict[str, Any] = {name: getattr(salon, name) for name in ProfileForm.base_fields}
        return {**values, "phone": phone.show(salon.phone, salon.country)}


class SalonForm(ProfileForm):
    """The profile of a salon that exists, with the address under which its clients reach it."""

    public_url = Line(
        label=_("Public address"),
        max_length=public.LONGEST,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, salon: Salon, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_demo = salon.is_demo
        self.fields["public_url"].help_text = (
            _("Links in messages begin with it.")
            if public.has_address(salon)
            else _("Without it, no offers are sent: links in them must work on your clients' phones.")
        )

    def clean_public_url(self) -> str:
        """Return the address as it is kept."""
        try:
            return public.read(self.cleaned_data["public_url"], is_demo=self.is_demo)
        except Refused as refused:
            raise ValidationError(refused.message) from refused

    def profile(self) -> dict[str, Any]:
        """Return the cleaned fields by name."""
        return {**super().profile(), "public_url": self.cleaned_data["public_url"]}

    @classmethod
    def of(cls, salon: Salon) -> dict[str, Any]:
        """Return what the form shows of a salon that exists."""
        return {**super().of(salon), "public_url": salon.public_url}


def _check_password(form: forms.Form, user: User) -> None:
    """Put at the field what is wrong with the password of `user`."""
    password = form.cleaned_data.get("password")
    if password:
        try:
            validate_password(password, user)
        except ValidationError as error:
            form.add_error("password", error)


def _password_field() -> forms.CharField:
    return forms.CharField(
        label=_("Password"),
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 12 characters. A few words in a row are easy to remember and hard to guess."),
    )


class SetupForm(ProfileForm):
    """The first page of a new installation: the owner's account, then the salon's profile."""

    owner_name = Line(label=_("Your name"), max_length=100, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    owner_email = forms.EmailField(
        label=_("Your e-mail"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "username"})
    )
    password = _password_field()
    # The order of the page: so the list of faults goes down the page.
    field_order = (
        "owner_name", "owner_email", "password",
        "name", "street", "postcode", "city", "country", "time_zone", "language", "currency", "phone", "email", "is_mfa_required",
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """Check the password against the owner's own words too."""
        data = super().clean()
        _check_password(self, User(email=data.get("owner_email", ""), name=data.get("owner_name", "")))
        return data

    def as_profile(self) -> Profile:
        """Return the profile to set up."""
        return Profile(**self.profile())


class JoinForm(forms.Form):
    """Somebody invited chooses a password."""

    password = _password_field()

    def __init__(self, *args: Any, member: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.member = member

    def clean(self) -> dict[str, Any]:
        """Check the password against the member's own words."""
        data: dict[str, Any] = super().clean() or {}
        _check_password(self, self.member)
        return data


class InviteForm(forms.Form):
    """Somebody new in the team."""

    name = Line(label=_("Name"), max_length=100)
    email = forms.EmailField(label=_("E-mail"), max_length=254, help_text=_("They sign in with it."))
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, initial=Role.STYLIST)


class RoleForm(forms.Form):
    """Another role for a member."""

    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)


class ActivityForm(forms.Form):
    """Which acts the page of activity shows. Nothing chosen: all."""

    q = Line(
        label=_("Client"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off", "spellcheck": "false"}),
    )
    person = forms.ChoiceField(label=_("Who"), required=False)
    kind = forms.ChoiceField(label=_("What"), required=False, choices=[("", _("Everything")), *activity.Kind.choices])
    first_on = forms.DateField(label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    last_on = forms.DateField(label=_("To"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        person = self.fields["person"]
        assert isinstance(person, forms.ChoiceField)
        people = User.objects.order_by("-is_active", "name", "pk").values_list("pk", "name")
        person.choices = [("", _("Everybody")), *((str(pk), name) for pk, name in people), (activity.HOUSE, "Carnet")]

    def _day(self, name: str) -> dt.date | None:
        on: dt.date | None = self.cleaned_data[name]
        if on and not dates.is_known(on):
            raise ValidationError(_("Choose a day between 2000 and 2100."))
        return on

    def clean_first_on(self) -> dt.date | None:
        """Return the first day, if the calendar knows it."""
        return self._day("first_on")

    def clean_last_on(self) -> dt.date | None:
        """Return the last day, if the calendar knows it."""
        return self._day("last_on")


class MeForm(forms.Form):
    """How a user is called and likes to see the house."""

    name = Line(label=_("Your name"), max_length=100)
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    theme = forms.ChoiceField(label=_("Colours"), choices=User.Theme.choices)
    density = forms.ChoiceField(label=_("Rows"), choices=User.Density.choices)
    phone = Line(
        label=_("Your mobile number"), max_length=40, required=False,
        help_text=_("An SMS that you send yourself as a test goes there. It is used for nothing else."),
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )  # fmt: skip
    has_shortcuts = forms.BooleanField(
        label=_("Keyboard shortcuts"),
        required=False,
        help_text=_("Single letters, while no field has the caret. ? lists them. Keys with Ctrl work either way."),
    )

    def clean_phone(self) -> str:
        """Read the number as it is dialled in the salon's country."""
        typed = str(self.cleaned_data["phone"])
        try:
            return phone.read(typed, Salon.objects.current().country) if typed else ""
        except Refused as refused:
            raise forms.ValidationError(refused.message) from refused

    @classmethod
    def of(cls, user: User) -> dict[str, Any]:
        """Return what the form shows of a user."""
        values = {name: getattr(user, name) for name in cls.base_fields}
        return {**values, "phone": phone.show(user.phone, Salon.objects.current().country)}
