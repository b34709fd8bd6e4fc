"""Forms of Settings → Privacy: lengths, the record of processing, breaches. They check and never save."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from clients import processing, retention_rules
from clients.countries import LAW_SINCE
from clients.models import Breach, Processing
from clients.retention_rules import Standing
from clients.rights_forms import before_the_law
from salon.core.lines import Line


class KeepForm(forms.Form):
    """Why a card is kept whose time would be over."""

    reason = Line(
        label=lazy("Why"), max_length=200,
        error_messages={"required": lazy("Say why the card is kept: the client may ask.")},
    )  # fmt: skip


class RetentionForm(forms.Form):
    """A length in months and a switch for each rule."""

    def __init__(self, *args: Any, standings: Sequence[Standing], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.standings = standings
        for one in standings:
            code = one.rule.code
            self.fields[f"{code}-months"] = forms.IntegerField(
                label=str(one.rule.label), min_value=retention_rules.SHORTEST, max_value=retention_rules.LONGEST,
                initial=one.months,
                widget=forms.TextInput(attrs={"inputmode": "numeric", "maxlength": "3", "autocomplete": "off"}),
            )  # fmt: skip
            self.fields[f"{code}-on"] = forms.BooleanField(label=str(one.rule.label), required=False, initial=one.is_on)

    @property
    def values(self) -> dict[str, tuple[int, bool]]:
        """Return months and switch by rule."""
        data = self.cleaned_data
        return {one.rule.code: (data[f"{one.rule.code}-months"], data[f"{one.rule.code}-on"]) for one in self.standings}


class ProcessingForm(forms.Form):
    """One entry of the record of processing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in processing.FIELDS:
            field: Any = Processing._meta.get_field(name)
            self.fields[name] = forms.CharField(
                label=capfirst(field.verbose_name), max_length=field.max_length, required=not field.blank,
                widget=forms.Textarea(attrs={"rows": 2}),
            )  # fmt: skip


def _moment(label: Any, *, required: bool) -> forms.DateTimeField:
    widget = forms.DateTimeInput(attrs={"type": "datetime-local", "class": "s-w-lg"}, format="%Y-%m-%dT%H:%M")
    return forms.DateTimeField(label=label, required=required, widget=widget)


class BreachForm(forms.Form):
    """What is known of a breach."""

    discovered_at = _moment(lazy("Noticed"), required=True)
    happened_at = _moment(lazy("Happened"), required=False)
    people_count = forms.IntegerField(
        label=lazy("About how many people"), min_value=0, max_value=10_000_000, required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "s-w-md"}),
    )  # fmt: skip
    has_health = forms.BooleanField(label=lazy("Health data among it"), required=False)
    authority_at = _moment(lazy("The authority was told"), required=False)
    persons_at = _moment(lazy("The people were told"), required=False)
    field_order = (
        "discovered_at", "happened_at", "what", "data", "people_count", "has_health", "effects", "measures", "authority_at",
        "authority_why_not", "persons_at", "persons_why_not",
    )  # fmt: skip

    def __init__(self, *args: Any, now: dt.datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.now = now
        for name in ("what", "data", "effects", "measures", "authority_why_not", "persons_why_not"):
            field: Any = Breach._meta.get_field(name)
            self.fields[name] = forms.CharField(
                label=capfirst(field.verbose_name), max_length=field.max_length, required=not field.blank,
                widget=forms.Textarea(attrs={"rows": 3}),
            )  # fmt: skip
        self.order_fields(self.field_order)

    def clean(self) -> dict[str, Any]:
        """Refuse what happened after it was noticed, was told before that or is told tomorrow, and what is older than the law."""
        data = super().clean() or self.cleaned_data
        noticed, happened = data.get("discovered_at"), data.get("happened_at")
        if noticed and happened and happened > noticed:
            self.add_error("happened_at", _("It was noticed before it happened."))
        for name in ("discovered_at", "happened_at", "authority_at", "persons_at"):
            at = data.get(name)
            if at is None:
                continue
            if at > self.now and name != "happened_at":
                self.add_error(name, _("This moment is still to come."))
            elif timezone.localtime(at).date() < LAW_SINCE:
                self.add_error(name, before_the_law())
            elif noticed and at < noticed and name in ("authority_at", "persons_at"):
                self.add_error(name, _("This is before it was noticed."))
        return data
