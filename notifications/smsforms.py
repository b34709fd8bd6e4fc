"""Forms about SMS. They say whether a value is well formed and save nothing."""

import datetime as dt
import re
from decimal import Decimal
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from notifications import campaigns
from notifications.forms import ComposeForm
from notifications.models import SmsAccount
from notifications.smsaccount import CHANNEL, ELSEWHERE
from salon.core import countries
from salon.core.lines import Line
from salon.core.models import Salon

# The countries that have a price of their own on the page, after the salon's.
PRICED = ("FR", "DE", "GB")
_BRACE = re.compile(r"[{}]")
_PLAIN = ("account_sid", "key_sid", "sender_kind", "sender", "can_answer", "monthly_budget", "campaign_cap", "may_tidy_names")


class _Secret(forms.PasswordInput):
    """A field for a secret: never filled in by the page, nor by the browser."""

    def __init__(self) -> None:
        super().__init__(attrs={"autocomplete": "new-password"})


class SmsForm(forms.Form):
    """The salon's account at the SMS provider. Saved secrets are never shown; an empty one keeps it."""

    account_sid = Line(label=_("Account SID"), max_length=34, help_text=_("Begins with AC. In the console, Account info."))
    key_sid = Line(label=_("API key SID"), max_length=34, help_text=_("Begins with SK. Make one for Carnet alone."))
    key_secret = forms.CharField(label=_("API key secret"), max_length=200, required=False, widget=_Secret)
    auth_token = forms.CharField(
        label=_("Auth token"), max_length=200, required=False, widget=_Secret,
        help_text=_("Proves that reports and answers really come from Twilio. It is not used to send."),
    )  # fmt: skip
    sender_kind = forms.ChoiceField(label=_("Kind of sender"), choices=SmsAccount.SenderKind.choices, widget=forms.RadioSelect)
    sender = Line(
        label=_("Number, name or service"), max_length=34,
        help_text=_("A number like +33 6 12 34 56 78, a name of at most 11 letters, or a messaging service (MG…)."),
    )  # fmt: skip
    can_answer = forms.BooleanField(label=_("Clients can answer to this service"), required=False)
    monthly_budget = forms.DecimalField(
        label=_("Budget a month"), required=False, min_value=Decimal(0), max_digits=8, decimal_places=2,
        help_text=_("Once it is used up, no SMS leaves until the next month. Messages about visits go by e-mail instead."),
    )  # fmt: skip
    campaign_cap = forms.DecimalField(
        label=_("Most for one promotion"), required=False, min_value=Decimal(0), max_digits=8, decimal_places=2
    )
    may_tidy_names = forms.BooleanField(
        label=_("Plain letters in names too"), required=False,
        help_text=_("“Chloë” becomes “Chloe”: one rare letter more than doubles the price of an SMS."),
    )  # fmt: skip

    def __init__(self, data: QueryDict | None, *, salon: Salon, row: SmsAccount | None) -> None:
        super().__init__(data, initial=self._of(row))
        self.row = row
        names = dict(countries.choices())
        for country in [*dict.fromkeys([salon.country, *PRICED]), ELSEWHERE]:
            self.fields[f"price_{country}"] = forms.DecimalField(
                label=names.get(country, _("All other countries")), required=False, min_value=Decimal(0), max_digits=7,
                decimal_places=4, widget=forms.NumberInput(attrs={"step": "0.0001", "inputmode": "decimal"}),
                initial=(row.prices if row else {}).get(country),
            )  # fmt: skip
        for name in ("account_sid", "key_sid", "sender"):
            self.fields[name].widget.attrs |= {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        if row is not None:
            self.fields["key_secret"].help_text = _("One is saved. Leave empty to keep it.")

    @staticmethod
    def _of(row: SmsAccount | None) -> dict[str, Any]:
        if row is None:
            return {"sender_kind": SmsAccount.SenderKind.NUMBER.value, "can_answer": True}
        return {name: getattr(row, name) for name in _PLAIN}

    @property
    def prices(self) -> list[forms.BoundField]:
        """Return the fields of the prices, the salon's own country first."""
        return [self[name] for name in self.fields if name.startswith("price_")]

    def values(self) -> dict[str, Any]:
        """Return what was chosen. Call it on a valid form. Prices of countries that have no field stay."""
        data = self.cleaned_data
        kept = {
            country: price
            for country, price in (self.row.prices if self.row else {}).items()
            if f"price_{country}" not in self.fields
        }
        prices = {name.removeprefix("price_"): data[name] for name in self.fields if name.startswith("price_")}
        secrets = {name: data[name] for name in ("key_secret", "auth_token")}
        return {**{name: data[name] for name in _PLAIN}, **secrets, "prices": {**kept, **prices}}


class SmsComposeForm(ComposeForm):
    """What somebody writes to clients by SMS: a text, and until when it may leave."""

    title = None  # type: ignore[assignment]
    conditions = None  # type: ignore[assignment]
    text = forms.CharField(
        label=_("Text"), max_length=600, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("The name of the salon stands before it, phone number and the way to stop behind it."),
    )  # fmt: skip
    field_order = ("text", "valid_until", "leave_on", "leave_at", "expected")

    def words(self) -> campaigns.Words:
        """Return what was written. Call it on a valid form."""
        return _words(self.cleaned_data["text"], self.cleaned_data["valid_until"])

    def as_typed(self) -> campaigns.Words:
        """Return what is there so far, right or wrong: to show it while somebody types."""
        if not self.is_bound:
            return _words("", None)
        self.is_valid()
        return _words(str(self.data.get("text", ""))[:600], self.cleaned_data.get("valid_until"))


def _words(text: str, valid_until: dt.date | None) -> campaigns.Words:
    """Return the words of an SMS: in lists it is called by how it begins."""
    return campaigns.Words(" ".join(_BRACE.sub("", text).split())[:60], text, valid_until, channel=CHANNEL)


class TestForm(forms.Form):
    """Where the test goes."""

    phone = Line(label=_("Phone number"), max_length=40)
