"""What is typed when a client's rights are served: deleting, copying, restricting, how long things are kept. Forms never save."""

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from clients.countries import LAW_SINCE
from clients.erasure import plan
from clients.models import Client, Restriction, RightsRequest
from salon.core.lines import Line
from salon.core.templatetags.house import as_day

KNOWN = [choice for choice in RightsRequest.Known.choices if choice[0] != RightsRequest.Known.NOT_NEEDED]

# Nobody's answer stands there beforehand: it is written down as the proof that somebody looked.
ASKED = [("", "–"), *KNOWN]


def before_the_law() -> str:
    """Return what is said of a day on which nobody could ask yet, and nothing had to be written down."""
    return _("Check the year: the law that this is about began on %(day)s.") % {"day": as_day(LAW_SINCE)}


def day_input() -> forms.DateInput:
    """Return the field of a day."""
    return forms.DateInput(attrs={"type": "date", "class": "s-w-md"}, format="%Y-%m-%d")


class DeleteForm(forms.Form):
    """When, whether the client is told of their visits, and the name to confirm.

    Who says that the client asked for it says with the same press how they know: nobody's answer stands there beforehand.
    """

    when = forms.ChoiceField(label=lazy("When"), choices=[("tidying", ""), *KNOWN], initial="tidying")
    is_notice_wanted = forms.BooleanField(label=lazy("Tell the client first"), required=False, initial=True)
    name = Line(
        label=lazy("Type the last name to confirm"), max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "s-w-lg"}),
    )  # fmt: skip

    def __init__(self, *args: Any, client: Client, country: str, may_erase: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.client, self.country, self.may_erase = client, country, may_erase
        self.fields["name"].help_text = plan.word_of(client)
        if not client.last_name:
            self.fields["name"].label = (
                _("Type the first name to confirm") if client.first_name else _("Type the phone number to confirm")
            )

    def clean_when(self) -> str:
        """Return the choice; only an owner erases at once."""
        when: str = self.cleaned_data["when"]
        if when != "tidying" and not self.may_erase:
            raise forms.ValidationError(_("Only an owner erases at once."))
        return when

    @property
    def known_by(self) -> str:
        """Return how it was made sure that it is the client who asks, nothing where they did not. Call it on a valid form."""
        when: str = self.cleaned_data["when"]
        return "" if when == "tidying" else when

    def clean_name(self) -> str:
        """Return what was typed, if it is the name."""
        typed: str = self.cleaned_data["name"]
        if not plan.is_confirmed(self.client, typed, self.country):
            raise forms.ValidationError(_("That is not what stands on the card."))
        return typed


class DeleteManyForm(forms.Form):
    """When, and the number of cards to confirm."""

    when = forms.ChoiceField(label=lazy("When"), choices=[("tidying", ""), ("now", "")], initial="tidying")
    typed = forms.IntegerField(
        label=lazy("Type the number of cards to confirm"), min_value=1,
        widget=forms.NumberInput(attrs={"autocomplete": "off", "class": "s-w-sm"}),
    )  # fmt: skip

    def __init__(self, *args: Any, may_erase: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.may_erase = may_erase

    def clean_when(self) -> str:
        """Return the choice; only an owner erases at once."""
        when: str = self.cleaned_data["when"]
        if when == "now" and not self.may_erase:
            raise forms.ValidationError(_("Only an owner erases at once."))
        return when


class CopyForm(forms.Form):
    """How it was made sure that it is the client who asks for a copy."""

    received_on = forms.DateField(label=lazy("Asked on"), widget=day_input())
    known_by = forms.ChoiceField(label=lazy("How do you know that it is the client?"), choices=KNOWN, widget=forms.RadioSelect)

    def __init__(self, *args: Any, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **{"initial": {"received_on": today}, **kwargs})
        self.today = today

    def clean_received_on(self) -> dt.date:
        """Return the day, which is not in the future and not before the law."""
        return _past(self.cleaned_data["received_on"], self.today)


class CorrectionForm(CopyForm):
    """That a correction was asked for; the card itself is changed on the card."""


class RestrictForm(forms.Form):
    """Why a card may only be kept from now on, and until when."""

    reason = forms.ChoiceField(label=lazy("Why"), choices=Restriction.Reason.choices, widget=forms.RadioSelect)
    note = Line(label=lazy("Note"), max_length=300, required=False, help_text=lazy("What is disputed, for example."))
    until = forms.DateField(label=lazy("To be looked at again on"), required=False, widget=day_input())
    known_by = forms.ChoiceField(label=lazy("How do you know that it is the client?"), choices=ASKED)

    def __init__(self, *args: Any, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today

    def clean_until(self) -> dt.date | None:
        """Return the day, which is still to come."""
        on: dt.date | None = self.cleaned_data["until"]
        if on and on <= self.today:
            raise forms.ValidationError(_("Choose a day that is still to come."))
        return on


class LiftForm(forms.Form):
    """How and when the client was told that the restriction ends: the law wants it before."""

    told_how = forms.ChoiceField(label=lazy("The client was told"), choices=Restriction.Told.choices)
    told_on = forms.DateField(label=lazy("on"), widget=day_input())

    def __init__(self, *args: Any, today: dt.date, since: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **{"initial": {"told_on": today}, **kwargs})
        self.today, self.since = today, since

    def clean_told_on(self) -> dt.date:
        """Return the day, which is not in the future and not before the card was restricted."""
        on = _past(self.cleaned_data["told_on"], self.today)
        if on < self.since:
            raise forms.ValidationError(_("The card was restricted on %(day)s, later than this.") % {"day": as_day(self.since)})
        return on


def _past(on: dt.date, today: dt.date) -> dt.date:
    if on > today:
        raise forms.ValidationError(_("This day is still to come."))
    if on < LAW_SINCE:
        raise forms.ValidationError(before_the_law())
    return on
