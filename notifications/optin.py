"""The mail by which a client confirms a Yes where the country asks for it: wanted by the ledger, sent once, repeated once.

Called by planner, facts, rendering and the card's button. Whether it may leave is the gate's; what is confirmed is
`clients.requests`. The occasion names the first line of what was asked together.
"""

import dataclasses
import datetime as dt
import zoneinfo
from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import CharField, DateTimeField, Exists, ExpressionWrapper, F, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Concat
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
_REVIVABLE = (ANSWERED, "inactive", "restricted", "no_address", "no_public_address")
_OPEN = (State.PENDING, State.HELD)
_PREFIX, _AGAIN = "asked:", ":again"


@dataclasses.dataclass(frozen=True)
class Asking:
    """What was read for the decision on such a mail beside its client, address and ledger."""

    has_public_address: bool
    birth: tuple[int | None, int | None, int | None]


def event_of(occasion: str) -> int:
    """Return the line of the ledger that an occasion names."""
    return int(occasion.removeprefix(_PREFIX).removesuffix(_AGAIN))


# --- what should be said ------------------------------------------------------------------------------------------


def plan(now: dt.datetime) -> Counter[str]:
    """Write down the mails that are wanted, take back those that are not any more, and return counts."""
    counts: Counter[str] = Counter()
    salon = Salon.objects.current()
    if not _waiting().exists() and not Message.objects.filter(kind=KIND, state__in=_OPEN).exists():
        return counts  # almost always: nothing to look for in a long ledger
    wanted = _wanted(now).annotate(occasion=Concat(Value(_PREFIX), Cast("pk", CharField()), output_field=CharField()))
    counts["cancelled"] = _take_back(wanted, now)
    if not public.has_address(salon):
        return +counts
    again = wanted.filter(subject__client=OuterRef("client"), occasion=OuterRef("occasion"))
    ended = Message.objects.filter(
        Exists(again), kind=KIND, reason__in=_REVIVABLE, state__in=[State.CANCELLED, State.SUPPRESSED], handoff_at=None
    )
    counts["revived"] = outbox.revive(ended)
    told = Message.objects.filter(
        kind=KIND, client=OuterRef("subject__client"), address_hmac=OuterRef("address_hmac"), state__in=outbox.TOLD,
        handoff_at__gt=now - requests.VALID_FOR,
    )  # fmt: skip
    counts[KIND] = _put(wanted.filter(~Exists(told)), F("occasion"), F("recorded_at") + TABLE[KIND].waits, now)
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


def _wanted(now: dt.datetime) -> "QuerySet[ConsentEvent]":
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


def _waiting() -> "QuerySet[Standing]":
    return Standing.objects.filter(state=Standing.State.PENDING, channel=CHANNEL, purpose__in=consent.MARKETING)


def _take_back(wanted: "QuerySet[Any]", now: dt.datetime) -> int:
    waiting = Message.objects.filter(kind=KIND, state__in=_OPEN)
    asked = {pk: event_of(occasion) for pk, occasion in waiting.values_list("pk", "occasion")}
    if not asked:
        return 0
    known = set(wanted.filter(pk__in=list(asked.values())).values_list("pk", flat=True))
    over = [pk for pk, event_id in asked.items() if event_id not in known]
    return outbox.cancel(Message.objects.filter(pk__in=over), reason=ANSWERED, now=now)


@transaction.atomic
def again(client: Client, *, by: User, now: dt.datetime) -> None:
    """Send the link once more. Raises Refused if nothing waits, if it is on its way, or was repeated already."""
    card = Client.objects.select_for_update().get(pk=client.pk)
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


def read(message: Message) -> Asking:
    """Return what the decision on `message` needs, read after the locks."""
    born = Client.objects.filter(pk=message.client_id or 0).values_list("birth_year", "birth_month", "birth_day").first()
    return Asking(public.has_address(Salon.objects.current()), born or (None, None, None))


def facts(
    message: Message, asking: Asking, entries: Sequence[fold.Entry], *, hmac: str, zone: str, country: str
) -> dict[str, Any]:
    """Return the facts that such a mail alone depends on, by their names in `gate.Facts`."""
    year, month, day = asking.birth
    now = timezone.now()

    def needed(purpose: str, channel: str) -> int:
        return countries.minimum_evidence(country, purpose, channel)

    lines = requests.open_lines(entries, event_of(message.occasion), address_hmac=hmac, needed=needed)
    today = now.astimezone(zoneinfo.ZoneInfo(zone)).date()
    return {
        "asked_at": lines[0].effective_at if lines else None,
        "event_ids": tuple(line.id for line in lines),
        "consent": fold.State.PENDING.value if lines else fold.State.UNKNOWN.value,
        "is_repeat": message.occasion.endswith(_AGAIN),
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
