"""Offers to existing clients who were told of them and did not refuse, without a Yes: where the owner lets them go, and to whom.

The laws call it soft opt-in. Off at first, everywhere. A state of its own in the ledger, never a Yes: any No ends it for good.
Called by the settings page and the card; what else must be true of a client is the gate's to ask.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from clients import addresses, consent, countries, fold, wording
from clients.models import Client, ConsentEvent, ConsentText, ExistingRule, ImportedCard
from salon.core import audit, bell, phone
from salon.core.errors import Refused
from salon.core.models import Salon, User
from salon.core.roles import May

# What may be sent: never a greeting, a welcome or a request for a review.
PURPOSES = ("mkt.promotion", "mkt.rebook")
EVENT = "soft_opt_in"
_SOURCE = ConsentEvent.Source
# How a client can have been told by the salon itself, when it took the address down.
HOW = (_SOURCE.IN_PERSON, _SOURCE.PHONE, _SOURCE.PAPER_FORM)


def is_lawful(country: str, channel: str, number: str = "") -> bool:
    """Return whether the law of the salon's country lets it, and for SMS that of the number (E.164) as well."""
    profiles = [countries.profile(country)]
    if channel == "sms":
        return all(one.soft_sms for one in [*profiles, *([countries.profile(phone.region(number))] if number else [])])
    return all(one.soft_email for one in profiles)


def is_on(country: str, channel: str) -> bool:
    """Return whether the owner switched it on for this country and channel, and the law still lets it."""
    return is_lawful(country, channel) and ExistingRule.objects.filter(country=country, channel=channel).exists()


def channels(country: str) -> frozenset[str]:
    """Return the channels on which it is on for this country."""
    rows = ExistingRule.objects.filter(country=country).values_list("channel", flat=True)
    return frozenset(channel for channel in rows if is_lawful(country, channel))


@transaction.atomic
def switch(channel: str, *, is_on: bool, by: User, now: dt.datetime) -> bool:
    """Let offers go to existing clients on a channel, or no longer, in the salon's country; return whether it changed.

    Raises Refused for anybody but an owner, and where the law of the country does not let it.
    """
    salon = Salon.objects.select_for_update().get(pk=1)
    if not by.may(May.EDIT_SENDING):
        raise Refused(_("Only an owner decides this."))
    if is_on and not is_lawful(salon.country, channel):
        raise Refused(_("The law of the salon's country does not let it."))
    rows = ExistingRule.objects.filter(country=salon.country, channel=channel)
    if rows.exists() is is_on:
        return False
    if is_on:
        ExistingRule.objects.create(country=salon.country, channel=channel, switched_on_at=now, by=by)
    else:
        rows.delete()
    audit.record("existing.switched", by=by, channel=channel, is_on=is_on)
    bell.ring()
    return True


def has_refused(entries: Iterable[fold.Entry], channel: str) -> bool:
    """Return whether a No to any marketing on the channel was ever said, whatever was said after it."""
    noes = [one for one in fold.visible(entries, None) if one.event in fold.NEGATIVE]
    return any(fold.covers(one, purpose, channel) for one in noes for purpose in fold.MARKETING)


def bar(client: Client, channel: str, entries: Sequence[fold.Entry]) -> str:
    """Return why it cannot be noted of a client that they were told, in a sentence; nothing where it can."""
    if not consent.address_hash(client, channel):
        return _("There is no e-mail on this card.") if channel == "email" else _("There is no phone number on this card.")
    if has_refused(entries, channel):
        return _("The client said No once: only a Yes of their own opens this again.")
    if addresses.shut_at(channel, consent.address_hash(client, channel)) is not None:
        return _("Whoever has this address stopped it. Only they can turn it on.")
    if client.pk in imported({client.pk}):
        return _("The card came with a list: nobody knows what the client was told then. Ask for a Yes.")
    return ""


def imported(ids: Collection[int]) -> set[int]:
    """Return which of these clients came, or got an address, with a list."""
    return set(ImportedCard.objects.filter(client__in=ids).values_list("client_id", flat=True))


def notice(client: Client, channel: str) -> ConsentText | None:
    """Return the words in force that the client is told, in their language."""
    return wording.in_force(client.language).get((wording.NOTICE, channel))


@transaction.atomic
def note(client: Client, channel: str, *, how: str, by: User, now: dt.datetime) -> list[ConsentEvent]:
    """Note that the client was told when they gave the address, and did not refuse; return the events, none if it is known.

    Raises Refused where it is not switched on, and for whom it cannot be noted; ValueError for a way of telling not in HOW.
    """
    if how not in HOW:
        raise ValueError(f"nobody is told by {how!r}")
    card = consent.hold(client)
    if not is_on(Salon.objects.current().country, channel):
        raise Refused(_("Offers to existing clients are switched off."))
    entries = consent.events_of(card)
    if against := bar(card, channel, entries):
        raise Refused(against)
    text = notice(card, channel)
    states = {purpose: consent.reading(card, purpose, channel, entries=entries).state for purpose in PURPOSES}
    said = [
        consent.Said(card, purpose, channel, EVENT, how, actor_type="staff", text=text)
        for purpose, state in states.items()
        if state is fold.State.UNKNOWN
    ]
    return consent.record_many(said, by=by, now=now)
