"""The form of a card between two people: what was typed, what it will do, and what somebody else changed meanwhile.

Called by the add and edit views. Decides nothing and stores nothing.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from clients import access, answers
from clients.duplicates import near, telling
from clients.forms import AddressForm, ClientForm, DetailsForm, first_values
from clients.models import Client
from salon.core.models import Salon, User
from salon.core.web import whole

THEIRS = "theirs"
# What two people may have in common: each change of it asks who else has it.
_ASK = frozenset({"phone", "email", "first_name", "last_name", "birth_day", "birth_month", "birth_year"})


@dataclass(frozen=True)
class Warning_:  # noqa: N801 - Warning is Python's
    """A yellow line: something to know before saving, with the card it is about where there is one."""

    text: str
    client: Client | None = None


@dataclass(frozen=True)
class Clash:
    """A field with two values. `is_mine` says which one is chosen beforehand: mine if I changed it, theirs if I did not."""

    name: str
    label: str
    mine: str
    theirs: str
    is_mine: bool


class Editing:
    """One form of a card. `client` is None for a new one, `data` None before anything was sent."""

    def __init__(
        self, user: User, salon: Salon, client: Client | None, data: QueryDict | None, *, today: dt.date,
        start: Mapping[str, Any] | None = None, form: type[AddressForm] | type[DetailsForm] = ClientForm,
    ) -> None:  # fmt: skip
        self.user, self.salon, self.client, self.today, self.form_class = user, salon, client, today, form
        self.clashes: list[Clash] = []
        self.version = client.version if client else 0
        values = self._values_of(client) if client else {"language": salon.language, **(start or {})}
        if data is not None:
            self.version = whole(data.get("version", "")) or 0
            data = self._with_picks(data, values)
        self.form = form(data, initial=values, country=salon.country, today=today)
        self._wire()

    @property
    def status(self) -> int:
        """Return the answer's HTTP status: a conflict, a refusal, or a form as it should be."""
        if self.clashes:
            return 409
        return 422 if self.form.is_bound and self.form.errors else 200

    def meets(self, theirs: Client) -> None:
        """Take in that the card is another by now: put both values of each field side by side, lose neither."""
        values = self._values_of(theirs)
        mine = self.form.cleaned_data
        for name, field in self.form.fields.items():
            stored = getattr(theirs, name)
            if str(stored if stored is not None else "") == str(mine.get(name) if mine.get(name) is not None else ""):
                continue
            birth = _("Date of birth")
            label = f"{birth}: {field.label}" if name.startswith("birth_") else str(field.label)
            self.clashes.append(
                Clash(
                    name,
                    label,
                    self._shown(name, self.form[name].value()),
                    self._shown(name, values[name]),
                    name in self.form.changed_data,
                )
            )
        data = cast(QueryDict, self.form.data).copy()
        for name, value in values.items():
            data[f"initial-{name}"] = "" if value is None else str(value)
        self.version = theirs.version
        self.form = self.form_class(data, initial=values, country=self.salon.country, today=self.today)
        self._wire()

    def warnings(self) -> list[Warning_]:
        """Return what to know before saving: cards with the same contact, and answers that end with an old address."""
        self.form.is_valid() if self.form.is_bound else None
        values: Mapping[str, Any] = (
            self.form.cleaned_data
            if self.form.is_bound
            else {"phone": str(self.client.phone or ""), "email": self.client.email}
            if self.client
            else {}
        )
        among = access.clients_for(self.user)
        found = [
            Warning_(_("%(name)s has the same phone.") % {"name": other.name}, other)
            for other in near.with_phone(values.get("phone", ""), among, but=self.client)
        ]
        found += [
            Warning_(_("%(name)s has the same e-mail.") % {"name": other.name}, other)
            for other in near.with_email(values.get("email", ""), among, but=self.client)
        ]
        known = {warning.client.pk for warning in found if warning.client}
        found += [
            Warning_(_("Like %(name)s: %(reasons)s.") % {"name": other.name, "reasons": telling.words(reasons)}, other)
            for other, reasons in near.with_name(values, among, but=self.client)
            if other.pk not in known
        ]
        return found + self.ending_answers()

    def ending_answers(self) -> list[Warning_]:
        """Return a line for each answer to marketing that ends with the address it was given for."""
        if self.client is None or not self.form.is_bound:
            return []
        values = self.form.cleaned_data
        lines = {
            "email": ("email", self.client.email, _("New e-mail: marketing answer goes back to Not asked.")),
            "sms": ("phone", str(self.client.phone or ""), _("New phone number: marketing answer goes back to Not asked.")),
        }
        said = answers.of_clients([self.client.pk])[self.client.pk]
        kept = {answers.Answer.NO, answers.Answer.NOT_ASKED}
        return [
            Warning_(text)
            for channel, (name, before, text) in lines.items()
            if name in values and values[name] != before and said[channel] not in kept
        ]

    def context(self) -> dict[str, Any]:
        """Return what the form's templates need."""
        return {"editing": self, "form": self.form, "warnings": self.warnings()}

    def _wire(self) -> None:
        """Let contacts, names and date of birth ask for warnings when they change, and the first field take the focus."""
        address = reverse("clients:edit", args=[self.client.pk]) if self.client else reverse("clients:add")
        asks = {
            "hx-post": address, "hx-trigger": "change", "hx-target": "#form-warnings", "hx-swap": "outerHTML",
            "hx-vals": '{"check": "1"}', "hx-sync": "this:replace",
        }  # fmt: skip
        for name in self.form.fields.keys() & _ASK:
            self.form.fields[name].widget.attrs.update(asks)
        if not self.form.is_bound:
            next(iter(self.form.fields.values())).widget.attrs["data-focus"] = ""

    def _values_of(self, client: Client) -> dict[str, Any]:
        return first_values(client, self.salon.country, self.form_class)

    def _with_picks(self, data: QueryDict, theirs: Mapping[str, Any]) -> QueryDict:
        picked = data.copy()
        for name, value in theirs.items():
            if data.get(f"pick_{name}") == THEIRS:
                picked[name] = "" if value is None else str(value)
        return picked

    def _shown(self, name: str, value: Any) -> str:
        choices = getattr(self.form.fields[name], "choices", None)
        if choices is not None:
            return str(dict(choices).get(value, value))
        return str(value or "") or _("empty")
