"""The card's front: one Yes or No a channel for all five kinds of marketing, and reminders on or off.

Reads and writes through `clients.consent`; called by the pages. Refuses what only the client may change.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from django.core import signing
from django.db import transaction
from django.db.models import Count, Max, Min
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from clients import addresses, consent, existing, fold, requests, wording
from clients.models import Channel, Client, ConsentEvent, ConsentText, Standing
from salon.core import prepared
from salon.core.errors import Refused
from salon.core.models import Salon, User
from salon.core.templatetags.house import as_day

HOW = (ConsentEvent.Source.IN_PERSON, ConsentEvent.Source.PHONE, ConsentEvent.Source.PAPER_FORM, ConsentEvent.Source.OTHER)
_UNDO = "clients.answers.undo"


class Answer(StrEnum):
    """What the front says about a channel."""

    YES = "yes"
    NO = "no"
    NOT_ASKED = "ask"
    WAITING = "wait"
    SOME = "some"


WORDS: dict[Answer, str | Promise] = {
    Answer.YES: lazy("Yes"),
    Answer.NO: lazy("No"),
    Answer.NOT_ASKED: lazy("Not asked"),
    Answer.WAITING: lazy("Waiting for the client"),
    Answer.SOME: lazy("Some"),
}
_SUM: Mapping[str, Answer] = {
    fold.State.GRANTED: Answer.YES,
    fold.State.WITHDRAWN: Answer.NO,
    fold.State.PENDING: Answer.WAITING,
    fold.State.UNKNOWN: Answer.NOT_ASKED,
    fold.State.SOFT_OPT_IN: Answer.NOT_ASKED,
}


@dataclass(frozen=True)
class Front:
    """One line of the card. `event` made it so, `stopped_on` is set where only the client can say Yes again.

    `lacks` says what a waiting Yes waits for: "form" for a signed one, "link" for the client's own confirmation. That
    one `is_late` once the link is too old to be used.
    """

    channel: str
    label: str | Promise
    answer: Answer
    is_reachable: bool
    event: ConsentEvent | None = None
    stopped_on: dt.date | None = None
    lacks: str = ""
    is_late: bool = False
    # Whether what it stands on can still be taken back as a slip of the salon's.
    may_go: bool = False
    # Since when marketing to the address itself is stopped, by whoever has it: perhaps on another card.
    shut_on: dt.date | None = None
    # Since when it is noted that an existing client was told of offers and did not refuse; and whether it can be noted now.
    told_on: dt.date | None = None
    may_be_told: bool = False

    @property
    def told_key(self) -> str:
        """Return by what the page asks how the client was told."""
        return f"told-{self.channel}"

    @property
    def bar(self) -> str:
        """Return why staff cannot say Yes here, in a sentence; nothing where they can."""
        if self.stopped_on:
            return _("The client stopped this on %(day)s. Only they can turn it on.") % {"day": as_day(self.stopped_on)}
        if self.shut_on:
            words = _("Whoever has this address stopped it on %(day)s. Only they can turn it on.")
            return words % {"day": as_day(self.shut_on)}
        return ""

    @property
    def word(self) -> str | Promise:
        """Return the answer in a word."""
        return WORDS[self.answer]

    @property
    def is_on(self) -> bool:
        """Return whether messages about visits leave: they do unless somebody said No."""
        return self.answer is not Answer.NO

    @property
    def how(self) -> str:
        """Return how it reached us, in words; nothing where it was only clicked."""
        return "" if self.event is None or self.event.source == "other" else str(self.event.get_source_display())

    @property
    def who(self) -> str:
        """Return who of the salon recorded it; nothing for the client and for machines."""
        return self.event.actor.name if self.event and self.event.actor else ""


def summed(states: Iterable[str]) -> Answer:
    """Return the one answer for the states of all kinds on a channel: all alike, or Some."""
    answers = {_SUM[state] for state in states}
    return answers.pop() if len(answers) == 1 else Answer.SOME


def fronts(client: Client) -> list[Front]:
    """Return the marketing line of each channel."""
    entries = consent.events_of(client)
    return [front(client, channel, entries=entries) for channel in fold.CHANNELS]


def front(client: Client, channel: str, *, entries: Sequence[fold.Entry] | None = None) -> Front:
    """Return the marketing line of one channel."""
    ledger = consent.events_of(client) if entries is None else entries
    readings = [consent.reading(client, purpose, channel, entries=ledger) for purpose in fold.MARKETING]
    line = _front(client, channel, summed(reading.state for reading in readings), readings)
    line = replace(line, shut_on=shut_on(client, channel))
    if line.answer is not Answer.NOT_ASKED or not existing.is_on(Salon.objects.current().country, channel):
        return line
    told = next((one.entry for one in readings if one.state is fold.State.SOFT_OPT_IN and one.entry), None)
    told_on = timezone.localtime(told.effective_at).date() if told else None
    return replace(line, told_on=told_on, may_be_told=told is None and not existing.bar(client, channel, ledger))


def reminders(client: Client, channel: str = "email") -> Front:
    """Return the line of reminders on a channel: No is off, everything else on."""
    reading = consent.reading(client, "svc.reminder", channel)
    answer = Answer.NO if reading.state is fold.State.WITHDRAWN else Answer.YES
    return _front(client, channel, answer, [reading])


def of_clients(client_ids: Collection[int]) -> dict[int, dict[str, Answer]]:
    """Return the answer of each channel by client id, from the projection, in one query."""
    found = {pk: dict.fromkeys(fold.CHANNELS, Answer.NOT_ASKED) for pk in client_ids}
    for client_id, channel, least, most, count in prepared.run([_of_clients()], {"ids": prepared.as_list(client_ids)})[0]:
        # Of a kind without a row nothing is known.
        states = (least, most) if count == len(fold.MARKETING) else (least, most, fold.State.UNKNOWN)
        found[client_id][channel] = summed(states)
    return found


@prepared.kept
def _of_clients() -> prepared.Query:
    """Return the query of the answers: of each channel the first and the last state by the alphabet, and how many there are."""
    rows = Standing.objects.filter(client__in=prepared.listed("?ids"), purpose__in=fold.MARKETING).order_by()
    summed_up = rows.values("client_id", "channel").annotate(least=Min("state"), most=Max("state"), count=Count("pk"))
    return prepared.Query(summed_up.values_list("client_id", "channel", "least", "most", "count"), ids="?ids")


def without_reminders(client_ids: Collection[int]) -> set[int]:
    """Return which of these clients get no reminders by e-mail, from the projection, in one query."""
    off = Standing.objects.filter(client__in=client_ids, purpose="svc.reminder", channel="email", state=fold.State.WITHDRAWN)
    return set(off.values_list("client_id", flat=True))


@transaction.atomic
def set_channel(
    client: Client, channel: str, answer: str, *, how: str = "other", by: User, now: dt.datetime | None = None
) -> list[ConsentEvent]:
    """Record "yes" or "no" to all marketing on a channel, one event a kind, and return the events.

    `how` is one of HOW and is what proves a Yes. The same answer again, with no better proof, records nothing.
    Raises Refused for a Yes without an address, and for one after the client's own No.
    """
    client = consent.hold(client)
    line = front(client, channel)
    is_yes = answer == "yes"
    if is_yes:
        check_yes(line)
    if not is_news(line, is_yes=is_yes, how=how, by=by):
        return []
    texts = _texts(client, channel) if is_yes else {}
    event = "grant" if is_yes else "withdraw"
    said = [
        consent.Said(client, purpose, channel, event, how, actor_type="staff", text=texts.get(purpose))
        for purpose in fold.MARKETING
    ]
    return consent.record_many(said, by=by, now=now)


@transaction.atomic
def set_reminders(
    client: Client, is_on: bool, *, channel: str = "email", how: str = "other", by: User, now: dt.datetime | None = None
) -> list[ConsentEvent]:
    """Switch reminders of visits on a channel on or off and return the event, nothing if they are so already.

    Raises Refused for switching on what the client stopped, or without an address.
    """
    client = consent.hold(client)
    line = reminders(client, channel)
    if is_on and not line.is_on:
        check_yes(line)
    if line.is_on if is_on else not is_news(line, is_yes=False, how=how, by=by):
        return []
    event = "grant" if is_on else "withdraw"
    return consent.record_many([consent.Said(client, "svc.reminder", channel, event, how, actor_type="staff")], by=by, now=now)


def undo_token(events: Sequence[ConsentEvent]) -> str:
    """Return what the Undo button posts to take these events back."""
    return signing.dumps([event.pk for event in events], salt=_UNDO)


def undo(token: str, *, client: Client, by: User, now: dt.datetime | None = None) -> list[ConsentEvent]:
    """Take back what `undo_token` was made for. Raises Refused as `consent.void` does, and for a token not of this card."""
    try:
        ids = signing.loads(token, salt=_UNDO, max_age=24 * 60 * 60)
    except signing.BadSignature as error:
        raise Refused(_("This cannot be undone any more.")) from error
    if ConsentEvent.objects.filter(pk__in=ids, subject__client=client).count() != len(ids):
        raise Refused(_("This cannot be undone any more."))
    return consent.void_many(ids, by=by, now=now)


def check_yes(line: Front) -> None:
    """Raise Refused if staff may not say Yes here: the client stopped it, or there is no address."""
    if line.bar:
        raise Refused(line.bar)
    if not line.is_reachable:
        raise Refused(
            _("There is no e-mail on this card.") if line.channel == "email" else _("There is no phone number on this card.")
        )


def is_news(line: Front, *, is_yes: bool, how: str, by: User | None) -> bool:
    """Return whether an answer says something that does not stand there already, or proves it better.

    A No stands only where nobody but `by`, who says it again in the same way, can take it back.
    """
    if not is_yes:
        is_repeated = line.event is not None and line.event.actor == by and line.event.source == how
        return line.answer is not Answer.NO or (line.may_go and not is_repeated)
    is_held = line.answer in {Answer.YES, Answer.WAITING} and not line.is_late
    known = line.event.evidence_level if line.event and is_held else -1
    return consent.EVIDENCE[ConsentEvent.Source(how)] > known


def _front(client: Client, channel: str, answer: Answer, readings: Sequence[fold.Reading]) -> Front:
    def newest(entries: Iterable[fold.Entry | None]) -> fold.Entry | None:
        return max((entry for entry in entries if entry), key=lambda entry: (entry.effective_at, entry.id), default=None)

    made_by = newest(reading.entry for reading in readings)
    stop = newest(reading.stop for reading in readings)
    event = ConsentEvent.objects.select_related("actor").get(pk=made_by.id) if made_by else None
    stopped_on = timezone.localtime(stop.effective_at).date() if stop else None
    lacking = _lacks_for_offers(channel) if answer is Answer.WAITING else ""
    is_late = lacking == "link" and event is not None and requests.is_over(event.recorded_at, timezone.now())
    is_reachable = bool(consent.address_hash(client, channel))
    may_go = any(reading.entry and consent.may_be_void(reading.entry, timezone.now()) for reading in readings)
    return Front(channel, Channel(channel).label, answer, is_reachable, event, stopped_on, lacking, is_late, may_go)


def shut_on(client: Client, channel: str) -> dt.date | None:
    """Return the day since which marketing to the client's address is stopped, whoever stopped it.

    None where a Yes is confirmed through a link: it goes to the holder of the address, who may open it again.
    """
    at = addresses.shut_at(channel, consent.address_hash(client, channel))
    return None if at is None or _lacks_for_offers(channel) == "link" else timezone.localtime(at).date()


def lacks(needed: int) -> str:
    """Return what would make a waiting Yes count where so much evidence is needed: "word", "form" or "link"."""
    if needed <= consent.EVIDENCE[ConsentEvent.Source.IN_PERSON]:
        return "word"
    return "form" if needed <= consent.EVIDENCE[ConsentEvent.Source.PAPER_FORM] else "link"


def _lacks_for_offers(channel: str) -> str:
    return lacks(max(consent.needed(purpose, channel) for purpose in fold.MARKETING))


def _texts(client: Client, channel: str) -> dict[str, ConsentText]:
    """Return the wording in force of each kind in the client's language, by purpose."""
    return {purpose: text for (purpose, way), text in wording.in_force(client.language).items() if way == channel}
