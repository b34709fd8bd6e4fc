"""A client's own choices through the link of a message: what the page shows, and what its buttons write.

Called by the public pages, without a sign-in. A link can always restrict. It says Yes only while the card has the
address that it was sent to: for that address it is proof, for another channel it is the client's word.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from clients import changes, consent, existing, fold, stops, wording
from clients.models import Client, ConsentEvent, ConsentText
from clients.stops import Link
from salon.core import audit
from salon.core.models import Salon

REMINDER = "svc.reminder"
PROFILING = "profiling"
PAUSES = (30, 90)
# The order of the page: what comes most often first.
KINDS = ("mkt.promotion", "mkt.rebook", "mkt.review", "mkt.birthday", "mkt.welcome")
_SOURCE = ConsentEvent.Source.PREFERENCE_PAGE
_OTHER_CHANNEL_EVIDENCE = 2


@dataclass(frozen=True)
class Choice:
    """One tick of the page. `bar` says why it cannot be set: "", "old_link", "no_address", "inactive" or "own_link"."""

    purpose: str
    channel: str
    is_on: bool
    is_waiting: bool = False
    bar: str = ""
    text: ConsentText | None = None

    @property
    def name(self) -> str:
        """Return the name of its field."""
        return f"{self.purpose}:{self.channel}"

    @property
    def is_fixed(self) -> bool:
        """Return whether nothing can be changed here: it is off and may not be switched on."""
        return bool(self.bar) and not self.is_on and not self.is_waiting


@dataclass(frozen=True)
class Sheet:
    """All choices of one card as the holder of a link sees them. `is_current`: the card has the address of the link."""

    client: Client
    channel: str
    is_current: bool
    channels: tuple[str, ...]
    kinds: Mapping[str, Sequence[Choice]]
    reminders: Sequence[Choice]
    profiling: Choice | None
    paused_until: dt.datetime | None

    @property
    def rests_to(self) -> dt.date | None:
        """Return the last day of the pause."""
        return last_day(self.paused_until) if self.paused_until else None

    @property
    def fields(self) -> list[Choice]:
        """Return every tick of the page."""
        ticks = [choice for row in self.kinds.values() for choice in row]
        return [*ticks, *self.reminders, *([self.profiling] if self.profiling else [])]

    def gets_offers(self, channel: str) -> bool:
        """Return whether any kind of marketing is on, or waits to be, on a channel."""
        ticks = [choice for row in self.kinds.values() for choice in row if choice.channel == channel]
        return any(choice.is_on or choice.is_waiting for choice in ticks)


def sheet(link: Link, *, language: str, reminder_channels: Sequence[str], now: dt.datetime) -> Sheet | None:
    """Return the choices behind a link, with the wordings in `language`; None if nobody is there any more. Changes nothing."""
    client = stops.client_of(link)
    if client is None:
        return None
    reader = _Reader(client, link, wording.in_force(language))
    channels = tuple(channel for channel in fold.CHANNELS if reader.is_shown(channel))
    is_asked = any(entry.purpose == PROFILING for entry in reader.entries)
    return Sheet(
        client, link.channel, reader.is_current, channels,
        {kind: [reader.choice(kind, channel) for channel in channels] for kind in KINDS},
        [reader.choice(REMINDER, channel) for channel in reminder_channels if consent.address_hash(client, channel)],
        reader.choice(PROFILING, "") if is_asked else None,
        client.marketing_paused_until if is_paused(client, now) else None,
    )  # fmt: skip


def is_paused(client: Client, now: dt.datetime) -> bool:
    """Return whether all marketing to the client rests."""
    return client.marketing_paused_until is not None and client.marketing_paused_until > now


def last_day(until: dt.datetime) -> dt.date:
    """Return the last day of a pause that ends at `until`."""
    return timezone.localtime(until - dt.timedelta(microseconds=1)).date()


@transaction.atomic
def save(link: Link, wanted: Mapping[tuple[str, str], bool], *, language: str, now: dt.datetime) -> list[ConsentEvent]:
    """Write what the client changed, by (purpose, channel), and return the events. What is so already writes nothing.

    A Yes that the link cannot give is left out: the page does not offer it.
    """
    client = stops.locked(link)
    if client is None:
        return []
    reader = _Reader(client, link, wording.in_force(language))
    said = [reader.said(purpose, channel, is_yes) for (purpose, channel), is_yes in wanted.items()]
    return consent.record_many([one for one in said if one is not None], now=now)


@transaction.atomic
def stop_everything(link: Link, *, now: dt.datetime) -> list[ConsentEvent]:
    """Object to all marketing on every channel, once, and return the events."""
    client = stops.locked(link)
    if client is None:
        return []
    said = []
    if not all(stops.has_objected(client, channel, consent.address_hash(client, channel)) for channel in fold.CHANNELS):
        said.append(consent.Said(client, fold.ALL_MARKETING, fold.ANY_CHANNEL, "object", _SOURCE))
    of_link = stops.address_of(link, client)
    if of_link != consent.address_hash(client, link.channel) and not stops.has_objected(client, link.channel, of_link):
        said.append(consent.Said(client, fold.ALL_MARKETING, link.channel, "object", _SOURCE, address_hmac=of_link))
    return consent.record_many(said, now=now)


@transaction.atomic
def pause(link: Link, days: int, *, now: dt.datetime) -> dt.datetime | None:
    """Let all marketing rest for `days` (one of PAUSES) from now, to the end of the day; return until when.

    None if nobody is there any more. Raises ValueError for another number. A longer pause is not made shorter.
    """
    if days not in PAUSES:
        raise ValueError(f"no pause of {days} days")
    client = stops.locked(link)
    if client is None:
        return None
    day = timezone.localtime(now).date() + dt.timedelta(days=days + 1)
    until = timezone.make_aware(dt.datetime.combine(day, dt.time()))
    if client.marketing_paused_until is None or client.marketing_paused_until < until:
        _set_pause(client, until)
    return client.marketing_paused_until


@transaction.atomic
def end_pause(link: Link, *, now: dt.datetime) -> bool:
    """End the pause, if the card still has the address of the link, and return whether there was one to end."""
    client = stops.locked(link)
    if client is None or not is_paused(client, now) or not stops.is_current(link, client):
        return False
    _set_pause(client, None)
    return True


def _set_pause(client: Client, until: dt.datetime | None) -> None:
    client.marketing_paused_until = until
    client.save(update_fields=["marketing_paused_until"])
    audit.record("client.marketing_paused" if until else "client.marketing_resumed", client)
    changes.tell([client.pk])


class _Reader:
    """What the ledger says about one card, seen from one link."""

    def __init__(self, client: Client, link: Link, texts: Mapping[tuple[str, str], ConsentText]) -> None:
        self.client, self.link, self.texts = client, link, texts
        self.entries = consent.events_of(client)
        self.is_current = stops.is_current(link, client)
        self.open_to = existing.channels(Salon.objects.current().country)
        self.hashes = {channel: consent.address_hash(client, channel) for channel in (*fold.CHANNELS, "")}

    def is_shown(self, channel: str) -> bool:
        """Return whether a channel has a place on the page: the link's own, and those the card has an address for."""
        return channel == self.link.channel or bool(self.hashes[channel])

    def choice(self, purpose: str, channel: str) -> Choice:
        """Return one tick as it stands."""
        state = self._state(purpose, channel)
        is_on = state is not fold.State.WITHDRAWN if purpose == REMINDER else state is fold.State.GRANTED
        # Who gets offers as an existing client sees them as on, and switches them off like any other.
        is_on |= state is fold.State.SOFT_OPT_IN and channel in self.open_to
        is_waiting = state is fold.State.PENDING
        return Choice(purpose, channel, is_on, is_waiting, self._bar(purpose, channel), self.texts.get((purpose, channel)))

    def said(self, purpose: str, channel: str, is_yes: bool) -> consent.Said | None:
        """Return what to write down for a changed tick, None if it is so already or may not be said here."""
        choice = self.choice(purpose, channel)
        if not is_yes:
            is_said = not choice.is_on and not choice.is_waiting and self._stop(purpose, channel)
            return None if is_said else consent.Said(self.client, purpose, channel, "withdraw", _SOURCE)
        evidence = self._evidence(channel)
        is_repeated = choice.is_waiting and evidence < consent.needed(purpose, channel)
        if choice.is_on or is_repeated or choice.bar:
            return None
        return consent.Said(self.client, purpose, channel, "grant", _SOURCE, evidence_level=evidence, text=choice.text)

    def _state(self, purpose: str, channel: str) -> fold.State:
        return consent.reading(self.client, purpose, channel, entries=self.entries).state

    def _stop(self, purpose: str, channel: str) -> bool:
        return consent.reading(self.client, purpose, channel, entries=self.entries).stop is not None

    def _evidence(self, channel: str) -> int:
        return consent.EVIDENCE[_SOURCE] if channel in {self.link.channel, ""} else _OTHER_CHANNEL_EVIDENCE

    def _bar(self, purpose: str, channel: str) -> str:
        """Return why a Yes cannot be said here, "" if it can."""
        if not self.is_current:
            return "old_link"
        if self.client.inactive_at or self.client.restricted_at:
            return "inactive"
        if channel and not self.hashes[channel]:
            return "no_address"
        is_weak = self._evidence(channel) < consent.EVIDENCE[_SOURCE]
        return "own_link" if is_weak and stops.is_closed(self.client, self.entries, purpose, channel) else ""
