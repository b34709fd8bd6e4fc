"""The mail by which a client confirms a Yes where the country asks for it: wanted by the ledger, sent once, repeated once.

Called by planner, facts, rendering and the card's button. Whether it may leave is the gate's; what is confirmed is
`clients.requests`. One link covers all that waits when it is opened, so another leaves only once the last was used or is
too old. The occasion names the first line of what was recorded together last.
"""

import dataclasses
import datetime as dt
import zoneinfo
from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import CharField, Count, DateTimeField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Coalesce, Concat
from django.db.models.lookups import LessThan
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import consent, countries, fold, requests, wording
from clients.models import Client, ConsentEvent, Standing
from notifications import links, outbox
from notifications.kinds import TABLE
from notifications.models import Message, State
from salon.core import audit, bell, public
from salon.core.errors import Refused
from salon.core.models import Salon, User

KIND = "doi_request"
CHANNEL = "email"
# Nothing waits for this link any more.
ANSWERED = "answered"
_REVIVABLE = (ANSWERED, "duplicate", "inactive", "restricted", "no_address", "no_public_address")
# Whatever is said and taken back: so many links reach one client at one address within the time that a link works.
LINKS_MAX = 3
_OPEN = (State.PENDING, State.HELD)
_PREFIX, _AGAIN = "asked:", ":again"


@dataclasses.dataclass(frozen=True)
class Asking:
    """What was read for the decision on such a mail beside its client, address and ledger."""

    has_public_address: bool
    birth: tuple[int | None, int | None, int | None]
    # Another link that still works covers it.
    is_covered: bool


def event_of(occasion: str) -> int:
    """Return the line of the ledger that an occasion names."""
    return int(occasion.removeprefix(_PREFIX).removesuffix(_AGAIN))


# --- what should be said ------------------------------------------------------------------------------------------


def plan(now: dt.datetime) -> Counter[str]:
    """Write down the mails that are wanted, take back those that are not any more, and return counts."""
    counts: Counter[str] = Counter()
    if not _waiting().exists() and not Message.objects.filter(kind=KIND, state__in=_OPEN).exists():
        return counts  # almost always: nothing to look for in a long ledger
    asked = _asked(now)
    wanted = asked.filter(~Exists(_of_client(_later(asked))), ~Exists(_working_links(now)), _links_lately(now, below=LINKS_MAX))
    wanted = wanted.annotate(occasion=Concat(Value(_PREFIX), Cast("pk", CharField()), output_field=CharField()))
    counts["cancelled"] = _take_back(asked, wanted, now)
    if not public.has_address(Salon.objects.current()):
        return +counts
    again = wanted.filter(subject__client=OuterRef("client"), occasion=OuterRef("occasion"))
    ended = Message.objects.filter(
        Exists(again), kind=KIND, reason__in=_REVIVABLE, state__in=[State.CANCELLED, State.SUPPRESSED], handoff_at=None
    )
    counts["revived"] = outbox.revive(ended)
    counts[KIND] = _put(wanted, F("occasion"), F("recorded_at") + TABLE[KIND].waits, now)
    return +counts


def _put(rows: "QuerySet[Any]", occasion: Any, not_before: Any, now: dt.datetime) -> int:
    return outbox.put(
        rows, kind=KIND, channel=CHANNEL, now=now,
        said={
            "client_id": F("subject__client_id"), "appointment_id": None, "campaign_id": None, "occasion": occasion,
            "time_version": None, "told_start_at": None, "not_before": _instant(not_before),
            "expires_at": _instant(F("recorded_at") + requests.VALID_FOR),
        },
    )  # fmt: skip


def _instant(expression: Any) -> Any:
    if isinstance(expression, dt.datetime):
        return expression
    return ExpressionWrapper(expression, output_field=DateTimeField())


def _asked(now: dt.datetime) -> "QuerySet[ConsentEvent]":
    """Return the first line of each request that waits for a link, of clients who can get one."""
    together = ConsentEvent.objects.filter(
        subject=OuterRef("subject"), channel=OuterRef("channel"), recorded_at=OuterRef("recorded_at"), event__in=requests.ASKING
    )
    waits = _waiting().filter(
        client=OuterRef("subject__client"), event__subject=OuterRef("subject"), event__recorded_at=OuterRef("recorded_at")
    )
    lines = ConsentEvent.objects.filter(
        channel=CHANNEL, recorded_at__gt=now - requests.VALID_FOR, source__in=requests.SOURCES, event__in=requests.ASKING,
        subject__client__inactive_at=None, subject__client__restricted_at=None, subject__client__erased_at=None,
        subject__client__isnull=False,
    ).exclude(subject__client__email="")  # fmt: skip
    return lines.filter(Exists(waits), ~Exists(together.filter(pk__lt=OuterRef("pk"))))


def _later(asked: "QuerySet[ConsentEvent]") -> "QuerySet[ConsentEvent]":
    newer = Q(recorded_at__gt=OuterRef("recorded_at")) | Q(recorded_at=OuterRef("recorded_at"), pk__gt=OuterRef("pk"))
    return asked.filter(newer)


def _of_client(rows: "QuerySet[ConsentEvent]") -> "QuerySet[ConsentEvent]":
    return rows.filter(subject__client=OuterRef("subject__client"))


def _links(**of: Any) -> "QuerySet[Message]":
    return Message.objects.filter(kind=KIND, state__in=outbox.TOLD, **of)


def _unused(links_sent: "QuerySet[Message]", now: dt.datetime) -> "QuerySet[Message]":
    """Leave out the links that are too old, and those that were used: whoever pressed one does not look at it again."""
    used = ConsentEvent.objects.filter(
        subject__client=OuterRef("client"), channel=CHANNEL, event="confirm", address_hmac=OuterRef("address_hmac"),
        recorded_at__gt=OuterRef("handoff_at"),
    )  # fmt: skip
    return links_sent.filter(~Exists(used), expires_at__gt=now)


def _working_links(now: dt.datetime) -> "QuerySet[Message]":
    return _unused(_links(client=OuterRef("subject__client"), address_hmac=OuterRef("address_hmac")), now)


def _links_lately(now: dt.datetime, *, below: int) -> Any:
    """Return the condition that a client got fewer than so many links at this address within the time that one works."""
    lately = _links(
        client=OuterRef("subject__client"), address_hmac=OuterRef("address_hmac"), handoff_at__gt=now - requests.VALID_FOR
    )
    counted = lately.order_by().values("kind").annotate(count=Count("pk")).values("count")
    return LessThan(Coalesce(Subquery(counted), 0), below)


def _waiting() -> "QuerySet[Standing]":
    return Standing.objects.filter(state=Standing.State.PENDING, channel=CHANNEL, purpose__in=consent.MARKETING)


def _take_back(asked: "QuerySet[Any]", wanted: "QuerySet[Any]", now: dt.datetime) -> int:
    """Cancel what waits for nothing any more, or for something that another link covers. One sent by hand covers it itself."""
    waiting = list(Message.objects.filter(kind=KIND, state__in=_OPEN).values_list("pk", "occasion"))
    if not waiting:
        return 0
    events = [event_of(occasion) for _pk, occasion in waiting]
    by_itself, by_hand = (set(rows.filter(pk__in=events).values_list("pk", flat=True)) for rows in (wanted, asked))
    over = [pk for pk, occasion in waiting if event_of(occasion) not in (by_hand if occasion.endswith(_AGAIN) else by_itself)]
    return outbox.cancel(Message.objects.filter(pk__in=over), reason=ANSWERED, now=now)


@transaction.atomic
def again(client: Client, *, by: User, now: dt.datetime) -> None:
    """Send the link once more. Raises Refused if nothing waits, if it is on its way, or was repeated already."""
    card = Client.objects.select_for_update().get(pk=client.pk, merged_into=None)
    if not public.has_address(Salon.objects.current()):
        raise Refused(_("Links need the public address of the salon. It is entered under Settings, Salon."))
    sent = Message.objects.filter(kind=KIND, client=card, created_at__gt=now - requests.VALID_FOR).order_by("-pk")
    last = sent.first()
    found = requests.find(event_of(last.occasion), now=now) if last else None
    if last is None or found is None or not found.lines:
        raise Refused(_("No link waits for an answer. Record the Yes anew, and a link is sent."))
    if last.state in {State.PENDING, State.CLAIMED}:
        raise Refused(_("The link is on its way already."))
    if last.occasion.endswith(_AGAIN):
        raise Refused(_("The link was sent twice. Ask the client to look for it, also among the unwanted mail."))
    asked = ConsentEvent.objects.filter(pk=event_of(last.occasion))
    _put(asked, Value(f"{last.occasion}{_AGAIN}", output_field=CharField()), now, now)
    audit.record("consent.link_again", card, by=by, event_id=event_of(last.occasion))
    bell.ring()


# --- what the gate needs to know, and what the mail says ----------------------------------------------------------


def read(message: Message, hmac: str) -> Asking:
    """Return what the decision on `message`, to the address with this hash, needs: read after the locks."""
    born = Client.objects.filter(pk=message.client_id or 0).values_list("birth_year", "birth_month", "birth_day").first()
    others = _unused(_links(client=message.client_id or 0, address_hmac=hmac).exclude(pk=message.pk), timezone.now())
    return Asking(public.has_address(Salon.objects.current()), born or (None, None, None), others.exists())


def facts(
    message: Message, asking: Asking, entries: Sequence[fold.Entry], *, hmac: str, zone: str, country: str
) -> dict[str, Any]:
    """Return the facts that such a mail alone depends on, by their names in `gate.Facts`."""
    year, month, day = asking.birth
    now = timezone.now()

    def needed(purpose: str, channel: str) -> int:
        return countries.minimum_evidence(country, purpose, channel)

    event_id, is_repeat = event_of(message.occasion), message.occasion.endswith(_AGAIN)
    lines = requests.open_lines(entries, event_id, address_hmac=hmac, needed=needed, now=now)
    own = [line for line in lines if line.id in requests.together(entries, event_id)]
    today = now.astimezone(zoneinfo.ZoneInfo(zone)).date()
    return {
        "asked_at": own[0].effective_at if own else None,
        "event_ids": tuple(line.id for line in lines),
        "consent": fold.State.PENDING.value if own else fold.State.UNKNOWN.value,
        "is_repeat": is_repeat,
        "is_told": asking.is_covered and not is_repeat,
        "is_client_act": True,
        "is_minor": countries.is_minor(country, year=year, month=month, day=day, today=today),
        "has_public_address": asking.has_public_address,
    }


def words(message: Message, salon: Salon) -> dict[str, Any]:
    """Return the values of the mail's own placeholders: when it was asked (`asked_at`), the wordings, the link.

    The wordings are those that the ledger names, one a line. Without any, or without a link, the values are missing.
    """
    event_id = event_of(message.occasion)
    found = requests.find(event_id, now=timezone.now())
    lines = found.lines if found else []
    texts = [wording.shown(line.text, salon) for line in lines if line.text]
    return {
        "asked_at": found.asked_at if found else None,
        "consent_text": "\n".join(f"- {text}" for text in texts),
        "confirm_link": links.confirm_url(salon, event_id),
    }
