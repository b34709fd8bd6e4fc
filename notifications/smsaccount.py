"""How SMS leave: the salon's account at the provider. Asked by the channel, the planner and the pages; `save` alone writes it.

Has the provider forget a message (`forget`); never touches a message of the outbox.
"""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from notifications import circuit
from notifications.kinds import TABLE, Kind
from notifications.models import SmsAccount
from notifications.providers.base import Carrier, Outcome, Text
from notifications.providers.twilio import CONNECT, READ, Account, TwilioProvider
from notifications.providers.unusable import UnusableProvider
from salon.core import audit, bell, phone, public
from salon.core.errors import Refused
from salon.core.models import Salon, User
from salon.core.secrets import Unreadable

CHANNEL = "sms"
# By this name messages and answers remember who carried them.
PROVIDER = TwilioProvider.name
# The price of a part to every country that has none of its own.
ELSEWHERE = "*"
SECRETS = ("key_secret", "auth_token")
_SIDS = {"account_sid": re.compile(r"AC[0-9a-fA-F]{32}"), "key_sid": re.compile(r"SK[0-9a-fA-F]{32}")}
_SERVICE = re.compile(r"MG[0-9a-fA-F]{32}")
# 1 to 11 letters, digits and spaces, one letter among them: what operators show.
_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9][A-Za-z0-9 ]{0,9}[A-Za-z0-9]|[A-Za-z]")
_SHORT = re.compile(r"[0-9]{3,8}")


@dataclass(frozen=True)
class Description:
    """What the pages say about SMS; no secret. `missing` are sentences: what still stands in the way of something."""

    is_set: bool = False
    is_on: bool = False
    is_proved: bool = False
    sender: str = ""
    sender_kind: str = ""
    problem: str = ""
    missing: tuple[str, ...] = ()
    inbound_url: str = ""

    @property
    def is_live(self) -> bool:
        """Return whether SMS really leave."""
        return self.is_set and self.is_on and not self.problem


def account() -> SmsAccount | None:
    """Return the account without its secrets, or None."""
    row = SmsAccount.objects.defer(*SECRETS).filter(pk=1).first()
    if row is not None:
        row.has_auth_token = bool(auth_token())
    return row


def is_open() -> bool:
    """Return whether messages may choose SMS: an account is entered and the channel is on."""
    return SmsAccount.objects.filter(pk=1, is_on=True).exists()


def channels_of(kind: Kind) -> tuple[str, ...]:
    """Return the channels on which a kind can leave now, the preferred one first."""
    return tuple(channel for channel in kind.channels if channel != CHANNEL or is_open())


def of_reminders() -> tuple[str, ...]:
    """Return the channels by which clients are reminded of visits now."""
    return channels_of(TABLE["reminder"])


def provider(*, read: float = READ) -> Carrier[Text]:
    """Return a new provider for the account; the caller closes it.

    An account that cannot be used (none, a secret that cannot be read) gives a provider that is down and says why.
    """
    try:
        row = SmsAccount.objects.filter(pk=1).first()
    except Unreadable:
        return UnusableProvider("secret", TwilioProvider.name)
    if row is None:
        return UnusableProvider("no_account", TwilioProvider.name)
    return TwilioProvider(_account(row), connect=CONNECT, read=read)


def twilio() -> TwilioProvider | None:
    """Return the provider itself, to look for messages and to delete them; None while no account can be used."""
    found = provider()
    return found if isinstance(found, TwilioProvider) else None


def _account(row: SmsAccount) -> Account:
    return Account(row.account_sid, row.key_sid, row.key_secret, settings.TWILIO_API_URL)


def auth_token() -> str:
    """Return what signs the provider's reports, an empty text if there is none or it cannot be read."""
    try:
        return SmsAccount.objects.filter(pk=1).values_list("auth_token", flat=True).first() or ""
    except Unreadable:
        return ""


def describe(salon: Salon) -> Description:
    """Return how SMS leave at present, in words for a page; never a secret."""
    row, problem = account(), ""
    if row is None:
        return Description()
    try:
        SmsAccount.objects.only("key_secret").get(pk=1)
    except Unreadable:
        problem = "secret"
    base = public.base(salon)
    return Description(
        True, row.is_on, row.is_proved, row.sender, row.get_sender_kind_display(), problem, tuple(_missing(row, salon)),
        f"{base}{reverse('notifications:twilio_inbound')}" if base else "",
    )  # fmt: skip


def _missing(row: SmsAccount, salon: Salon) -> list[str]:
    found = []
    if not public.has_address(salon):
        found.append(_("No public address: the provider cannot report what was delivered, and no STOP arrives here."))
    if not SmsAccount.objects.exclude(auth_token=None).exclude(auth_token="").exists():
        found.append(_("No auth token: reports of the provider and answers of clients cannot be trusted, so they are refused."))
    if not row.prices:
        found.append(_("No price: what a promotion costs cannot be shown."))
    return found


@transaction.atomic
def save(*, by: User, now: dt.datetime, key_secret: str, auth_token: str, **values: Any) -> SmsAccount:
    """Keep the account. An empty secret keeps the saved one. What failed with the old settings counts no more.

    Another account or sender is off until the provider has taken a test (`test`), or somebody switches it on.
    Raises Refused for ids and senders that are none, for an empty secret where none is saved or the key is another one,
    and for a limit without a price to count by.
    """
    row, salon = account(), Salon.objects.current()
    values |= {"sender": _sender(values["sender_kind"], values["sender"], salon.country), "prices": _prices(values["prices"])}
    values["can_answer"] = {"number": True, "name": False}.get(values["sender_kind"], values["can_answer"])
    _check(values, row, has_secret=bool(key_secret))
    changed = sorted(name for name, value in values.items() if row is None or value != getattr(row, name))
    given = {name: text for name, text in (("key_secret", key_secret), ("auth_token", auth_token)) if text}
    is_another = row is not None and row.account_sid != values["account_sid"]
    if is_another and not auth_token:
        given["auth_token"] = ""  # that of another account proves nothing
    if is_another:
        values["account_since"] = now
    if row is None or is_another or row.sender != values["sender"]:
        values |= {"is_on": False, "is_proved": False}
    if row is None:
        SmsAccount.objects.create(pk=1, changed_at=now, **values, **given)
    else:
        SmsAccount.objects.filter(pk=1).update(changed_at=now, **values, **given)
    saved = SmsAccount.objects.defer(*SECRETS).get(pk=1)
    circuit.close(TwilioProvider.name)
    audit.record("sms.changed", saved, by=by, fields=sorted([*changed, *given]))
    bell.ring()
    return saved


def _check(values: Mapping[str, Any], row: SmsAccount | None, *, has_secret: bool) -> None:
    for name, pattern in _SIDS.items():
        if not pattern.fullmatch(values[name]):
            begins = pattern.pattern[:2]
            raise Refused(_("This begins with %(letters)s and has 34 letters and digits.") % {"letters": begins}, name)
    if not has_secret and (row is None or row.key_sid != values["key_sid"]):
        raise Refused(_("Enter the secret of this key: the provider shows it once, when the key is made."), "key_secret")
    for name in ("monthly_budget", "campaign_cap"):
        if values[name] is not None and ELSEWHERE not in values["prices"]:
            raise Refused(_("A limit needs a price: enter one for all other countries."), name)


def _sender(kind: str, text: str, country: str) -> str:
    """Return a sender as the provider wants it. Raises Refused for one that is none."""
    text = " ".join(text.split())
    if kind == SmsAccount.SenderKind.SERVICE:
        if not _SERVICE.fullmatch(text):
            raise Refused(_("A messaging service begins with MG and has 34 letters and digits."), "sender")
        return text
    if kind == SmsAccount.SenderKind.NAME:
        if len(text) > 11 or not _NAME.fullmatch(text):
            raise Refused(_("A name has 1 to 11 letters without accents, digits and spaces, and one letter at least."), "sender")
        return text
    if _SHORT.fullmatch(text):
        return text
    try:
        return phone.read(text, country)
    except Refused as refused:
        raise Refused(refused.message, "sender") from refused


def _prices(given: Mapping[str, Any]) -> dict[str, str]:
    """Return prices as they are kept: a text for each country that has one."""
    found = {}
    for country, price in given.items():
        if price in {None, ""}:
            continue
        try:
            found[country] = str(Decimal(str(price)).quantize(Decimal("0.0001")))
        except InvalidOperation as error:
            raise Refused(_("Enter a price like 0.0750."), "prices") from error
    return found


def switch(*, is_on: bool, by: User, now: dt.datetime) -> None:
    """Turn the whole channel on or off. Off, nothing that waits leaves by SMS. Raises Refused without an account.

    Either is the word of whoever presses it: from then on no test switches the account on.
    """
    if not SmsAccount.objects.filter(pk=1).update(is_on=is_on, is_proved=True, changed_at=now):
        raise Refused(_("No SMS account is entered yet."))
    audit.record("sms.switched", by=by, is_on=is_on)
    bell.ring()


def prove(row: SmsAccount, *, by: User) -> None:
    """Switch an account on that was entered anew: the provider has taken a test. Nothing for one that was changed since."""
    tested = SmsAccount.objects.filter(pk=1, changed_at=row.changed_at, is_proved=False)
    if tested.update(is_proved=True, is_on=True):
        audit.record("sms.switched", by=by, is_on=True)
        bell.ring()


def forget(provider_id: str) -> bool:
    """Have the provider delete a message, and return whether it is gone there. For a retryable job of an erasure.

    False while the account cannot be used, or the provider is not done with the message yet: then try again later.
    """
    found = twilio()
    if not provider_id or found is None:
        return not provider_id
    result = found.forget(provider_id)
    if result.code == "404" and SmsAccount.objects.filter(account_since__isnull=False).exists():
        return False  # it may lie in the account before this one, which must be asked for it by hand
    return result.outcome is Outcome.ACCEPTED
