"""The forms of the switches between two people: what was chosen, what they saw, and what somebody else changed meanwhile.

Called by the page of the triggers. Decides nothing and stores nothing.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any, cast

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from clients.editing import THEIRS, Clash
from notifications import facts, triggers, words
from notifications.forms import TriggerForm
from notifications.models import Trigger


class SwitchEditing:
    """One form for each kind that goes by itself. `data` is None before anything was sent."""

    def __init__(self, data: QueryDict | None) -> None:
        self.clashes: list[Clash] = []
        self._bind(data, facts.switches())

    @property
    def status(self) -> int:
        """Return the answer's HTTP status: a conflict, a refusal, or forms as they should be."""
        if self.clashes:
            return 409
        return 422 if any(form.is_bound for form in self.forms.values()) else 200

    def is_valid(self) -> bool:
        """Return whether all forms can be saved; every one says what is wrong with it."""
        return not [form for form in self.forms.values() if not form.is_valid()]

    def chosen(self) -> dict[str, triggers.Setting]:
        """Return what was chosen. Call it on valid forms."""
        return {kind: form.setting() for kind, form in self.forms.items()}

    def seen(self) -> dict[str, Mapping[str, Any]]:
        """Return by kind the values that the page showed when it was opened."""
        return {kind: form.seen() for kind, form in self.forms.items()}

    def meets(self, theirs: Mapping[str, Trigger]) -> None:
        """Take in that the switches stand otherwise by now: put both values of each field side by side, lose neither."""
        data = cast(QueryDict, self.data).copy()
        for kind, form in self.forms.items():
            stored = vars(triggers.of(theirs[kind]))
            for name in form.fields:
                mine, other, key = form.cleaned_data[name], stored[name], form.add_prefix(name)
                data[form.add_initial_prefix(name)] = "" if other is None else str(other)
                if mine != other:
                    label = f"{words.KINDS[kind]}: {form.fields[name].label}"
                    is_mine = name in form.seen() and mine != form.seen()[name]
                    self.clashes.append(Clash(key, label, _shown(form, name, mine), _shown(form, name, other), is_mine))
        self._bind(data, theirs)

    def _bind(self, data: QueryDict | None, rows: Mapping[str, Trigger]) -> None:
        self.data = _with_picks(data, rows) if data is not None else None
        self.rows = rows
        self.forms = {kind: TriggerForm(self.data, row=row) for kind, row in rows.items()}


def _with_picks(data: QueryDict, rows: Mapping[str, Trigger]) -> QueryDict:
    """Return what was sent, with the stored value wherever somebody chose theirs."""
    picked = data.copy()
    for kind, row in rows.items():
        for name, value in vars(triggers.of(row)).items():
            key = f"{kind}-{name}"
            if data.get(f"pick_{key}") == THEIRS:
                picked[key] = ("on" if value else "") if isinstance(value, bool) else "" if value is None else str(value)
    return picked


def _shown(form: TriggerForm, name: str, value: Any) -> str:
    """Return a value as a person reads it."""
    if isinstance(value, bool):
        return pgettext("switch", "On") if value else pgettext("switch", "Off")
    if isinstance(value, dt.time):
        return f"{value:%H:%M}"
    choices = getattr(form.fields[name], "choices", None)
    return str(dict(choices).get(value, value)) if choices is not None else str("" if value is None else value) or _("empty")
