"""Forms of the pages around other systems. They say whether a value is well formed and save nothing."""

import datetime as dt
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from notifications.systems import line
from notifications.systems.models import OtherSystem
from salon.core import dates
from salon.core.errors import Refused
from salon.core.lines import Line


class SystemForm(forms.Form):
    """A system: its name, how it is told, and for a connected one where to and what goes along."""

    name = Line(label=_("Name"), max_length=80, help_text=_("As your team calls it: Treatwell, newsletter, till."))
    way = forms.ChoiceField(
        label=_("How it is told"), choices=OtherSystem.Way.choices, initial=OtherSystem.Way.BY_HAND, widget=forms.RadioSelect
    )
    url = Line(
        label=_("Address for events"), max_length=line.LONGEST, required=False, widget=forms.URLInput,
        help_text=_("Only for a connected system. It begins with https:// and comes from whoever runs that system."),
    )  # fmt: skip
    has_email = forms.BooleanField(label=_("Send the client's e-mail address along"), required=False)
    has_phone = forms.BooleanField(label=_("Send the client's phone number along"), required=False)

    def __init__(self, *args: Any, is_new: bool = True, way: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._way = way
        self.fields["url"].widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}
        if not is_new:
            del self.fields["way"]
            self.fields["url"].help_text = _("It begins with https:// and comes from whoever runs that system.")
            if way == OtherSystem.Way.BY_HAND:
                for name in ("url", "has_email", "has_phone"):
                    del self.fields[name]

    def clean(self) -> dict[str, Any]:
        """Refuse an address to which no events go, where one is needed."""
        data = super().clean() or {}
        if (data.get("way") or self._way) == OtherSystem.Way.CONNECTED and "url" in data:
            try:
                data["url"] = line.read(data["url"])
            except Refused as refused:
                self.add_error("url", ValidationError(refused.message))
        return data


class SpanForm(forms.Form):
    """The days of which the refusals are wanted, both included."""

    first = forms.DateField(label=_("From"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}))
    last = forms.DateField(label=_("To"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}))

    def clean(self) -> dict[str, Any]:
        """Refuse days that no calendar knows, and an end before the beginning."""
        data = super().clean() or {}
        first, last = data.get("first"), data.get("last")
        for name, day in (("first", first), ("last", last)):
            if isinstance(day, dt.date) and not dates.is_known(day):
                self.add_error(name, ValidationError(_("Choose a day from 2000 on.")))
        if first and last and last < first:
            self.add_error("last", ValidationError(_("The last day is before the first.")))
        return data
