"""The forms of what becomes of a card: inactive, on the blacklist."""

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from clients import inactivity
from clients.models import Blacklisting


class InactiveForm(forms.Form):
    """Why, and what becomes of appointments to come. `has_visits`: somebody has one; `is_one`: it is about one card."""

    reason = forms.ChoiceField(
        label=lazy("Why?"), choices=list(inactivity.REASONS.items()), initial="stays_away",
        error_messages={"required": lazy("Choose a reason."), "invalid_choice": lazy("Choose a reason.")},
    )  # fmt: skip
    visits = forms.ChoiceField(
        label=lazy("Appointments to come"), initial="leave",
        choices=[
            ("leave", lazy("Leave these clients active")),
            ("cancel", lazy("Cancel the appointments and tell the clients, then make them inactive")),
            ("keep", lazy("Keep the appointments and make the clients inactive")),
        ],
        error_messages={"invalid_choice": lazy("Choose what becomes of the appointments.")},
    )  # fmt: skip

    def __init__(self, *args: Any, has_visits: bool, is_one: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["visits"].required = False
        if is_one and has_visits:
            # Asked by two buttons: a form sent without either keeps everything as it is.
            self.fields["visits"].choices = [("cancel", ""), ("keep", "")]  # type: ignore[attr-defined]
            self.fields["visits"].required = True
            self.fields["visits"].error_messages["required"] = lazy("Choose what becomes of the appointment.")

    def clean_visits(self) -> str:
        """Return what becomes of the appointments; where nothing was said, nobody who has one becomes inactive."""
        return self.cleaned_data["visits"] or "leave"


def _day(**words: Any) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date", "class": "s-w-md"}, format="%Y-%m-%d")
    return forms.DateField(required=False, widget=widget, **words)


class BlacklistForm(forms.Form):
    """Why somebody is on the blacklist, in a word and in the salon's own, and until when."""

    reason = forms.ChoiceField(
        label=lazy("Why?"), choices=Blacklisting.Reason.choices,
        error_messages={"required": lazy("Choose a reason."), "invalid_choice": lazy("Choose a reason.")},
    )  # fmt: skip
    words = forms.CharField(
        label=lazy("In your words"), max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=lazy("Seen by the desk alone. It is part of the copy of their data that the client may ask for."),
    )  # fmt: skip
    until = _day(label=lazy("Until"), help_text=lazy("The last day. Empty: until you take them off."))
    review_on = _day(label=lazy("Look again on"), help_text=lazy("The bell reminds you that day."))

    def __init__(self, *args: Any, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today

    @property
    def has_days(self) -> bool:
        """Return whether a day was given: then the fold with the days is open."""
        return any(self[name].value() for name in ("until", "review_on"))

    def clean_until(self) -> dt.date | None:
        """Return the last day, today at the earliest."""
        return self._ahead("until")

    def clean_review_on(self) -> dt.date | None:
        """Return the day to look again, today at the earliest."""
        return self._ahead("review_on")

    def _ahead(self, name: str) -> dt.date | None:
        on: dt.date | None = self.cleaned_data[name]
        if on is not None and on < self.today:
            raise forms.ValidationError(_("This day is in the past."))
        return on
