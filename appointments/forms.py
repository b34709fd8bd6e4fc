"""What staff type about a visit, a service or a person of the team. Forms read and check; they never save."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import pgettext

from appointments import availability
from appointments.models import Service, Staff
from clients.forms import read_email
from clients.models import Client
from salon.core import dates, money, phone
from salon.core.errors import Refused
from salon.core.lines import Line
from salon.core.models import Salon, User
from salon.core.roles import May


class ServiceField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A service with its length and price."""

    currency = "EUR"

    def label_from_instance(self, obj: Any) -> str:
        """Return "Cut · 45 min · €42"."""
        return f"{obj.name} · {obj.duration_minutes} min · {money.show(obj.price, self.currency)}"


def _day_input() -> forms.DateInput:
    return forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


def _check_day(on: dt.date) -> None:
    if not dates.is_known(on):
        words = _("Choose a day between %(first)s and %(last)s.")
        raise forms.ValidationError(words % {"first": dates.FIRST_DAY.year, "last": dates.LAST_DAY.year})


class WhenForm(forms.Form):
    """Service, person, day and time: what booking and moving share."""

    service = ServiceField(label=lazy("Service"), queryset=Service.objects.none(), empty_label=lazy("Choose a service"))
    staff = forms.ModelChoiceField(label=lazy("With"), queryset=Staff.objects.none(), empty_label=None)
    on = forms.DateField(
        label=lazy("Day"), widget=_day_input(), input_formats=["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y"], validators=[_check_day]
    )
    time = forms.TimeField(
        label=lazy("Time"), widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}), input_formats=["%H:%M", "%H:%M:%S"]
    )

    def __init__(self, *args: Any, staff: QuerySet[Staff], salon: Salon, service: Service | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.salon = salon
        services = Service.objects.filter(is_active=True)
        field = self.fields["service"]
        assert isinstance(field, ServiceField)
        field.queryset = services | Service.objects.filter(pk=service.pk) if service else services
        field.currency = salon.currency
        self.fields["staff"].queryset = staff  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Turn day and time into `start_at`, an instant. A time that the clock leaves out is none."""
        data = super().clean() or self.cleaned_data
        if data.get("on") and data.get("time") is not None:
            data["start_at"] = availability.instant(data["on"], data["time"].replace(second=0), self.salon.zone)
            if data["start_at"] is None:
                words = _("%(time)s does not exist on %(day)s: the clock goes forward. Choose another time.")
                day = dates.show(data["on"], pgettext("date format", "j F"))
                self.add_error("time", words % {"time": data["time"].strftime("%H:%M"), "day": day})
        return data


class BookForm(WhenForm):
    """A new visit, for a client of the book or for somebody new."""

    client = forms.ModelChoiceField(queryset=Client.objects.none(), required=False, widget=forms.HiddenInput)
    first_name = Line(label=lazy("First name"), max_length=100, required=False)
    last_name = Line(label=lazy("Last name"), max_length=100, required=False)
    phone = Line(label=lazy("Phone"), max_length=40, required=False)
    email = Line(label=lazy("E-mail"), max_length=254, required=False)
    note = forms.CharField(
        label=lazy("Note for this visit"), max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=lazy("The client does not see it. It is part of the copy they may ask for."),
    )  # fmt: skip
    is_notice_wanted = forms.BooleanField(label=lazy("Tell the client"), required=False)
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, clients: QuerySet[Client], user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["client"].queryset = clients  # type: ignore[attr-defined]
        self.may_add = user.may(May.EDIT_CLIENTS)
        for name in ("first_name", "last_name", "phone", "email"):
            self.fields[name].widget.attrs["autocomplete"] = "off"
        self.fields["phone"].widget.attrs["inputmode"] = "tel"
        self.fields["email"].widget.attrs |= {"inputmode": "email", "spellcheck": "false"}

    def clean_phone(self) -> str:
        """Return the number as E.164, read in the salon's country."""
        text = self.cleaned_data["phone"].strip()
        try:
            return phone.read(text, self.salon.country) if text else ""
        except Refused as refused:
            raise forms.ValidationError(refused.message) from refused

    def clean_email(self) -> str:
        """Return the address in lower case, checked as on the card."""
        return read_email(self.cleaned_data["email"])

    def clean(self) -> dict[str, Any]:
        """Ask for somebody: a client of the book, or one of first name, last name and phone of a new one."""
        data = super().clean()
        newcomer = {name: data.get(name, "") for name in ("first_name", "last_name", "phone")}
        is_somebody = self.may_add and any(newcomer.values())
        data["newcomer"] = {**newcomer, "email": data.get("email", "")} if is_somebody else {}
        if not data.get("client") and not is_somebody and not self.errors.get("phone"):
            who = _("Choose a client, or give a name or a phone number.") if self.may_add else _("Choose a client.")
            self.add_error("client", who)
        return data


class MoveForm(WhenForm):
    """Another time, person or service for a visit."""

    is_notice_wanted = forms.BooleanField(label=lazy("Tell the client"), required=False)
    version = forms.IntegerField(widget=forms.HiddenInput)


class NoteForm(forms.Form):
    """The note of one visit."""

    note = forms.CharField(
        label=lazy("Note for this visit"), max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=lazy("The client does not see it. It is part of the copy they may ask for."),
    )  # fmt: skip
    version = forms.IntegerField(widget=forms.HiddenInput)


class ServiceForm(forms.ModelForm):  # type: ignore[type-arg]
    """A service. Read as values: `catalogue` writes the row."""

    class Meta:
        model = Service
        field_classes = {"name": Line, "category": Line}
        fields = ("name", "category", "duration_minutes", "price", "rebook_weeks", "position")
        help_texts = {
            "category": lazy("Services with the same word stand together, for example Colour."),
            "rebook_weeks": lazy("After how many weeks a client usually comes back for this."),
            "position": lazy("Smaller numbers come first."),
        }


DAYS = (lazy("Monday"), lazy("Tuesday"), lazy("Wednesday"), lazy("Thursday"), lazy("Friday"), lazy("Saturday"), lazy("Sunday"))
Hours = list[tuple[int, dt.time, dt.time]]


class StaffForm(forms.ModelForm):  # type: ignore[type-arg]
    """Somebody who works with clients. Read as values: `crew` writes the row."""

    class Meta:
        model = Staff
        field_classes = {"name": Line}
        fields = ("name", "color", "user", "position")
        help_texts = {
            "user": lazy("Who signs in as this person, and so may change this column."),
            "position": lazy("Smaller numbers stand further left."),
        }

    color = forms.TypedChoiceField(
        label=lazy("Colour"), coerce=int, choices=[(number, str(number)) for number in range(1, 9)], widget=forms.RadioSelect
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["user"]
        assert isinstance(field, forms.ModelChoiceField)
        field.label = _("Account")
        field.empty_label = _("Does not sign in")
        field.queryset = User.objects.filter(is_active=True).order_by("name")


class DayForm(forms.Form):
    """Working hours of one day of the week, with a break or without."""

    starts_at = forms.TimeField(required=False)
    ends_at = forms.TimeField(required=False)
    break_from = forms.TimeField(required=False)
    break_to = forms.TimeField(required=False)

    def __init__(self, data: Mapping[str, Any] | None = None, *, weekday: int, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial, prefix=f"day{weekday}")
        self.weekday, self.day = weekday, DAYS[weekday]
        names = {
            "starts_at": _("%(day)s from"), "ends_at": _("%(day)s to"),
            "break_from": _("%(day)s break from"), "break_to": _("%(day)s break to"),
        }  # fmt: skip
        for name, field in self.fields.items():
            field.label = names[name] % {"day": self.day}
            field.widget = forms.TimeInput(format="%H:%M", attrs={"type": "time", "aria-label": field.label})

    def clean(self) -> dict[str, Any]:
        """Check that the day goes forward and the break lies within it."""
        data = super().clean() or self.cleaned_data
        if self.errors:
            return data
        start, end, pause, back = (data.get(name) for name in ("starts_at", "ends_at", "break_from", "break_to"))
        if (start is None) != (end is None):
            raise forms.ValidationError(_("%(day)s: give both times, or none for a day off.") % {"day": self.day})
        if (pause is None) != (back is None) or (pause and start is None):
            raise forms.ValidationError(_("%(day)s: give both times of the break, or none.") % {"day": self.day})
        if start and end and not start < end:
            raise forms.ValidationError(_("%(day)s: the end comes before the start.") % {"day": self.day})
        if pause and back and start and end and not start < pause < back < end:
            raise forms.ValidationError(_("%(day)s: the break must lie within the working hours.") % {"day": self.day})
        return data

    def hours(self) -> Hours:
        """Return the day as rows of working hours: none, one, or two with a break between."""
        start, end, pause, back = (self.cleaned_data.get(name) for name in ("starts_at", "ends_at", "break_from", "break_to"))
        if not start or not end:
            return []
        if not pause or not back:
            return [(self.weekday, start, end)]
        return [(self.weekday, start, pause), (self.weekday, back, end)]
