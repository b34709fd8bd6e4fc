"""The form of the health note. It reads and checks; it never saves."""

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

# A patch test that lies further back tells nothing any more: the year is a slip.
PATCH_TEST_YEARS = 20


class HealthForm(forms.Form):
    """What a client said about their health, and the day of the last patch test."""

    text = forms.CharField(
        label=lazy("Allergies and health"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 5}),
        help_text=lazy("What matters for the treatment, as the client said it. It is part of the copy the client may ask for."),
    )  # fmt: skip
    patch_tested_on = forms.DateField(
        label=lazy("Patch test on"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date", "class": "s-w-md"}, format="%Y-%m-%d"),
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today

    def clean_patch_tested_on(self) -> dt.date | None:
        """Return the day, which is neither in the future nor so far back that it is a slip."""
        on: dt.date | None = self.cleaned_data["patch_tested_on"]
        if on and on > self.today:
            raise forms.ValidationError(_("The day of the patch test is in the future."))
        if on and self.today.year - on.year > PATCH_TEST_YEARS:
            raise forms.ValidationError(_("The day of the patch test is too long ago. Please check the year."))
        return on
