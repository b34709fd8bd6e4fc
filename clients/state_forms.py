"""The forms of what becomes of a card: inactive, on the blacklist."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as lazy

from clients import inactivity


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
