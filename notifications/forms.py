"""Forms of the notification pages. They say whether a value is well formed and save nothing."""

import contextlib
import datetime as dt
import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from notifications import campaigns, filling, kinds, plans, reasons, remindertimes, sending, smsaccount, texts, triggers
from notifications.models import MailServer, Trigger
from notifications.serverforms import ServerForm
from salon.core import dates
from salon.core.lines import Line


class SendingForm(ServerForm):
    """The salon's mail server. An empty password keeps the saved one."""

    field_order = ("host", "port", "security", "user", "password", "sender", "reply_to")
    host = Line(
        label=_("Server"),
        max_length=253,
        validators=[RegexValidator(r"^[A-Za-z0-9.:_-]+$", _("Enter the name of a server, like smtp.example.com"))],
        help_text=_("Your mail provider calls it outgoing server or SMTP."),
    )
    # Empty is the usual one for the security, which the field follows while nothing else is typed there.
    port = forms.IntegerField(label=_("Port"), min_value=1, max_value=65535, initial=sending.PORTS["starttls"], required=False)
    security = forms.ChoiceField(
        label=_("Security"),
        choices=MailServer.Security.choices,
        initial="starttls",
        widget=forms.Select(attrs={"data-usual": json.dumps(sending.PORTS), "data-into": "id_port"}),
    )
    user = Line(label=_("User name"), max_length=254, required=False)
    sender = forms.EmailField(label=_("Sender address"), max_length=254, help_text=_("Clients see it as the sender."))
    reply_to = forms.EmailField(label=_("Answers go to"), max_length=254, required=False)

    def clean(self) -> dict[str, Any]:
        """Fill in the usual port, beside what is asked of every server."""
        data = super().clean()
        if data.get("port") is None and "port" not in self.errors:
            data["port"] = sending.PORTS.get(data.get("security", ""))
        return data

    @staticmethod
    def of(row: MailServer | None, sender: str) -> dict[str, Any]:
        """Return what the form shows at first: the saved server, or the salon's address as the sender."""
        if row is None:
            return {"sender": "" if sender == sending.NO_SENDER else sender}
        return {name: getattr(row, name) for name in ("host", "port", "security", "user", "sender", "reply_to")}


class TriggerForm(forms.Form):
    """The switch of one kind; its prefix is the kind's name. It has the fields that mean something for the kind."""

    is_on = forms.BooleanField(label=_("On"), required=False)
    ways = forms.ChoiceField(label=_("By"), choices=Trigger.Ways.choices)
    delay = forms.IntegerField(label=_("How long after"))
    at = forms.TimeField(label=_("at"), widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}))
    again = forms.IntegerField(label=_("Once more after so many weeks"), required=False)
    is_by_rhythm = forms.BooleanField(
        label=_("By the client's own rhythm, reckoned from their visits, where they said Yes to profiling"), required=False
    )
    target = forms.URLField(
        label=_("Address of your page for reviews"), required=False, max_length=300, assume_scheme="https",
        widget=forms.URLInput(attrs={"placeholder": "https://", "autocomplete": "off"}),
    )  # fmt: skip

    def __init__(self, data: QueryDict | None = None, *, row: Trigger) -> None:
        self.kind = kinds.TABLE[row.kind]
        super().__init__(data, prefix=row.kind, initial=vars(triggers.of(row)))
        there = set(smsaccount.channels_of(self.kind))
        ways = [(value, label) for value, label in Trigger.Ways.choices if set(value.split()) <= there]
        self.fields["ways"] = forms.ChoiceField(label=_("By"), choices=ways)
        if self.kind.delay is not None:
            least, most = self.kind.delay.least, self.kind.delay.most
            self.fields["delay"] = forms.IntegerField(label=_("How long after"), min_value=least, max_value=most)
        if self.kind.again is not None:
            self.fields["again"] = forms.IntegerField(
                label=_("Once more after so many weeks"), required=False, min_value=self.kind.again.least,
                max_value=self.kind.again.most,
            )  # fmt: skip
        means_something = {
            "ways": len(ways) > 1, "delay": self.kind.delay is not None, "at": self.kind.at is not None,
            "target": self.kind.has_target, "again": self.kind.again is not None, "is_by_rhythm": self.kind.has_rhythm,
        }  # fmt: skip
        for name in [name for name, is_there in means_something.items() if not is_there]:
            del self.fields[name]
        for field in self.fields.values():
            field.show_hidden_initial = True  # what the page showed, so that two people do not overwrite each other unseen

    @property
    def unit(self) -> str:
        """Return what `delay` counts: "days", "weeks", or nothing."""
        return self.kind.delay.unit if self.kind.delay else ""

    def setting(self) -> triggers.Setting:
        """Return what was chosen. Call it on a valid form."""
        return triggers.Setting(**self.cleaned_data)

    def seen(self) -> dict[str, Any]:
        """Return the values that the page showed, as far as they came along and can be read."""
        found = {}
        for name, field in self.fields.items():
            if (text := self.data.get(self.add_initial_prefix(name))) is not None:
                with contextlib.suppress(ValidationError):
                    found[name] = field.to_python(text)
        return found


class ReminderTimeForm(forms.Form):
    """One of the reminders of a visit: off, days before at a time, or hours before."""

    way = forms.ChoiceField(
        label=_("When"), choices=[("off", _("No reminder")), ("days", _("Days before, at a time")), ("hours", _("Hours before"))]
    )
    days_before = forms.IntegerField(label=_("Days before"), min_value=0, max_value=plans.DAYS_MAX, required=False)
    at = forms.TimeField(label=_("at"), widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}), required=False)
    hours_before = forms.IntegerField(label=_("Hours before"), min_value=1, max_value=plans.HOURS_MAX, required=False)

    def __init__(self, data: QueryDict | None = None, *, slot: int, row: plans.ReminderTime | None) -> None:
        initial: dict[str, Any] = {"way": "off", "days_before": 1, "at": dt.time(10), "hours_before": 2}
        if row is not None:
            known = {"days_before": row.days_before, "at": row.at, "hours_before": row.hours_before}
            initial |= {name: value for name, value in known.items() if value is not None}
            initial["way"] = ("hours" if row.hours_before else "days") if row.is_on else "off"
        super().__init__(data, prefix=f"time{slot}", initial=initial)
        self.slot = slot

    def clean(self) -> dict[str, Any]:
        """Ask for what belongs to the chosen way."""
        data = super().clean() or {}
        needed = {"days": ("days_before", "at"), "hours": ("hours_before",)}.get(data.get("way", ""), ())
        for name in needed:
            if data.get(name) is None and name not in self.errors:
                self.add_error(name, _("Say when it leaves."))
        return data

    def chosen(self) -> remindertimes.Time:
        """Return what was chosen. Call it on a valid form."""
        data = self.cleaned_data
        if data["way"] == "hours":
            return remindertimes.Time(is_on=True, hours_before=data["hours_before"])
        return remindertimes.Time(is_on=data["way"] == "days", days_before=data["days_before"] or 0, at=data["at"] or dt.time(10))


class TextForm(forms.Form):
    """The salon's own text of a kind. What may stand in it is checked when it is saved."""

    subject = Line(label=_("Subject"), max_length=texts.SUBJECT_LONGEST)
    body = forms.CharField(label=_("Text"), widget=forms.Textarea(attrs={"rows": 14}))

    def __init__(self, *args: Any, channel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if channel != "email":
            del self.fields["subject"]


class ComposeForm(forms.Form):
    """What somebody writes to clients. In braces stand {first_name} and {salon} alone, in brackets what may be missing."""

    title = Line(label=_("Subject"), max_length=150)
    text = forms.CharField(
        label=_("Text"), max_length=4000, widget=forms.Textarea(attrs={"rows": 9}), help_text=_("Greeting and footer are added.")
    )
    valid_until = forms.DateField(
        label=_("Valid until"),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        input_formats=["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y"],
    )
    conditions = Line(label=_("Conditions"), max_length=300, required=False)
    leave_on = forms.DateField(
        label=_("Send on"),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        input_formats=["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y"],
        help_text=_("Empty: at once, by night in the morning. At least 30 seconds to undo it."),
    )
    leave_at = forms.TimeField(
        label=_("Time"), required=False, widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}), input_formats=["%H:%M"]
    )
    expected = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)

    def __init__(self, *args: Any, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today

    def clean_title(self) -> str:
        """Refuse a brace that stands for nothing."""
        return self._checked("title")

    def clean_text(self) -> str:
        """Refuse a brace that stands for nothing."""
        return self._checked("text")

    def clean_conditions(self) -> str:
        """Refuse a brace that stands for nothing."""
        return self._checked("conditions")

    def clean_valid_until(self) -> dt.date | None:
        """Refuse a day that is over, and one that no calendar of ours knows."""
        on: dt.date | None = self.cleaned_data["valid_until"]
        if on is not None and not (self.today <= on and dates.is_known(on)):
            raise ValidationError(_("Choose today or a later day."))
        return on

    def clean(self) -> dict[str, Any]:
        """Refuse a day without a time, and a time without its day."""
        data = super().clean() or {}
        for name, other in (("leave_on", "leave_at"), ("leave_at", "leave_on")):
            if data.get(other) is not None and data.get(name) is None and name not in self.errors:
                self.add_error(name, _("For later it needs a day and a time."))
        return data

    def at(self) -> dt.datetime | None:
        """Return when it is to leave, in the zone that is active; None for at once. Half an answer is none."""
        day, time = (self.cleaned_data.get(name) for name in ("leave_on", "leave_at"))
        if day is None or time is None or not dates.is_known(day):
            return None
        return dt.datetime.combine(day, time, timezone.get_current_timezone()).astimezone(dt.UTC)

    def words(self) -> campaigns.Words:
        """Return what was written. Call it on a valid form."""
        data = self.cleaned_data
        return campaigns.Words(data["title"], data["text"], data["valid_until"], data["conditions"])

    def as_typed(self) -> campaigns.Words:
        """Return what is there so far, right or wrong: to show it while somebody types."""
        if not self.is_bound:
            return campaigns.Words("", "")
        self.is_valid()
        title, text, conditions = (str(self.data.get(name, ""))[:4000] for name in ("title", "text", "conditions"))
        return campaigns.Words(title.strip(), text, self.cleaned_data.get("valid_until"), conditions.strip())

    def _checked(self, name: str) -> str:
        text: str = self.cleaned_data[name]
        if unknown := filling.fault(text):
            words = _("%(found)s stands for nothing. In braces only {first_name} and {salon} can stand.")
            raise ValidationError(words % {"found": unknown})
        return text


class ResendForm(forms.Form):
    """Why a message of unknown fate is sent again: kept as a code, never as free text about a person."""

    reason = forms.ChoiceField(label=_("Why is it sent again?"), choices=reasons.RESEND.items, widget=forms.RadioSelect)
