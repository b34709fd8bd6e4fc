"""How long things are kept, as rules: what each touches, a preview, the warning a month before, and the daily run.

A rule does nothing until the owner has seen its preview and switched it on. The rooms above add theirs when they start.
"""

import datetime as dt
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as lazy

from clients import lengths
from clients.erasure import act
from clients.models import (
    Client,
    ConsentEvent,
    ConsentEvidence,
    Deletion,
    Erasure,
    HealthNote,
    RetentionRule,
    RetentionWarning,
    RightsRequest,
    SignedForm,
    Subject,
)
from clients.retention import may_delete
from salon.core import audit, notices
from salon.core.errors import Refused
from salon.core.models import Salon, User
from salon.core.roles import Role

log = logging.getLogger(__name__)
WARN_BEFORE = dt.timedelta(days=30)
NOTICE = "retention_warning"
SHORTEST, LONGEST = 1, 240
_CHUNK = 500


@dataclass(frozen=True)
class Rule:
    """What is kept for so many months. `rows(before)` are the rows whose time was over at that moment; `end` ends them.

    A rule of people has no `end`: they are warned about first, then erased.
    """

    code: str
    label: str | Promise
    note: str | Promise
    rows: Callable[[dt.datetime], "models.QuerySet[models.Model]"]
    end: Callable[[Collection[int]], int] | None = None

    @property
    def is_of_people(self) -> bool:
        """Return whether it erases whole cards."""
        return self.end is None


@dataclass(frozen=True)
class Standing:
    """A rule as it stands: its length, whether it is on, when it ran, and how many rows it would touch now."""

    rule: Rule
    months: int
    is_on: bool
    ran_on: dt.date | None
    count: int


LastContact = Callable[[dt.datetime], Q]
_rules: dict[str, Rule] = {}
_contacts: list[LastContact] = []
_visited: list[Callable[[], Q]] = []


def register(rule: Rule) -> None:
    """Add a rule. Called once, when an app starts."""
    _rules[rule.code] = rule


def register_contact(since: LastContact, *, visited: Callable[[], Q] | None = None) -> None:
    """Say by which condition over clients somebody got in touch since a moment, and (`visited`) ever was a client."""
    if since not in _contacts:
        _contacts.append(since)
        _visited.extend([visited] if visited else [])


def every() -> list[Rule]:
    """Return all rules in the order of their defaults."""
    return [_rules[code] for code in lengths.MONTHS if code in _rules]


def standings(now: dt.datetime, months: Mapping[str, int] | None = None) -> list[Standing]:
    """Return every rule as it stands, or as it would with these `months`, with what it would touch now."""
    rows = {row.code: row for row in RetentionRule.objects.all()}
    found = []
    for rule in every():
        row = rows.get(rule.code)
        count = (months or {}).get(rule.code) or (row.months if row else lengths.MONTHS[rule.code])
        touched = rule.rows(_before(now, count)).count()
        found.append(Standing(rule, count, bool(row and row.is_on), row.ran_on if row else None, touched))
    return found


def touched(rule: Rule, count: int, now: dt.datetime, limit: int) -> Sequence[Client]:
    """Return some of the clients that a rule of people would touch if things were kept for `count` months."""
    if not rule.is_of_people:
        return []
    ids = list(rule.rows(_before(now, count)).order_by("pk").values_list("pk", flat=True)[:limit])
    return list(Client.objects.filter(pk__in=ids).order_by("sort_name", "pk"))


@transaction.atomic
def change(values: Mapping[str, tuple[int, bool]], *, by: User, now: dt.datetime) -> None:
    """Put lengths (months) and switches in force, by the rule's code. Raises Refused for one that nobody knows."""
    for code, (count, is_on) in values.items():
        if code not in _rules or not SHORTEST <= count <= LONGEST:
            raise Refused(f"{code}: {SHORTEST}-{LONGEST}")
        row = RetentionRule.objects.filter(pk=code).first()
        was = (row.months, row.is_on) if row else (lengths.MONTHS[code], False)
        if was == (count, is_on):
            continue
        RetentionRule.objects.update_or_create(
            pk=code, defaults={"months": count, "is_on": is_on, "changed_at": now, "changed_by": by}
        )
        audit.record("retention.changed", by=by, rule=code, months=count, is_on=is_on)
        if _rules[code].is_of_people and was != (count, is_on):
            RetentionWarning.objects.filter(code=code).delete()


def run(now: dt.datetime) -> dict[str, int]:
    """Do what the rules that are on call for today, and return how many rows each ended. Once a day; twice does no harm."""
    today = now.astimezone(Salon.objects.current().zone).date()
    done: dict[str, int] = {}
    for row in RetentionRule.objects.filter(is_on=True).exclude(ran_on=today):
        rule = _rules.get(row.code)
        if rule is None:
            continue
        before = _before(now, row.months)
        try:
            count = _people(rule, row.months, before, now, today) if rule.is_of_people else _things(rule, before)
        except Exception as error:  # noqa: BLE001 (one rule that fails must not keep the others)
            log.error("retention rule %s: %s, tried again in an hour", row.code, type(error).__name__)
            continue
        RetentionRule.objects.filter(pk=row.pk).update(ran_on=today)
        if count:
            audit.record("retention.ran", by=None, rule=row.code, count=count)
        done[row.code] = count
    return done


def _before(now: dt.datetime, count: int) -> dt.datetime:
    day = lengths.before(now.date(), count)
    return now.replace(year=day.year, month=day.month, day=day.day)


def _things(rule: Rule, before: dt.datetime) -> int:
    """End the rows of a rule in steps that each stand whole."""
    assert rule.end is not None
    count = 0
    while ids := list(rule.rows(before).order_by("pk").values_list("pk", flat=True)[:_CHUNK]):
        with transaction.atomic():
            ended = rule.end(ids)
        count += ended
        if not ended:
            break
    return count


def _people(rule: Rule, months: int, before: dt.datetime, now: dt.datetime, today: dt.date) -> int:
    """Warn about those whose time will be over in a month, erase those whose month has passed, and return how many were."""
    ids = set(rule.rows(before).values_list("pk", flat=True))
    soon = set(rule.rows(before + WARN_BEFORE).values_list("pk", flat=True))
    mine = RetentionWarning.objects.filter(code=rule.code)
    mine.exclude(client__in=soon).delete()  # they came back
    known = set(RetentionWarning.objects.values_list("client_id", flat=True))
    fresh = [
        RetentionWarning(client_id=pk, code=rule.code, warned_on=today, erase_on=today + WARN_BEFORE)
        for pk in sorted(soon - known)
    ]
    RetentionWarning.objects.bulk_create(fresh, batch_size=_CHUNK, ignore_conflicts=True)
    if fresh:
        _warn(len(fresh), now)
    count = 0
    for row in mine.filter(erase_on__lte=today, client__in=ids).select_related("client").order_by("pk"):
        # Asked under the lock: they may come back while others are erased.
        theirs = rule.rows(before).filter(pk=row.client_id)
        try:
            count += act.erase(row.client, ground=Erasure.Ground.RETENTION, by=None, now=now, still=theirs.exists) is not None
        except Exception as error:  # noqa: BLE001 (one that cannot be erased must not keep the others)
            log.warning("retention of client %s: %s, tried again tomorrow", row.client_id, type(error).__name__)
    return count


def _warn(count: int, now: dt.datetime) -> None:
    for owner in User.objects.filter(role=Role.OWNER, is_active=True):
        notices.tell(owner, NOTICE, url="/settings/privacy/retention/", now=now, count=count)


# --- the rules of the client book ----------------------------------------------------------------------------------


def _silent(before: dt.datetime) -> "models.QuerySet[Client]":
    """Return who has not got in touch since `before`: no visit, no answer of their own, no card made."""
    rows = Client.objects.filter(erased_at=None, restricted_at=None, created_at__lt=before)
    rows = rows.exclude(pk__in=Deletion.objects.values("client"))
    own = ConsentEvent.objects.filter(
        subject__client=OuterRef("pk"), actor_type=ConsentEvent.Actor.CLIENT, recorded_at__gte=before
    )
    rows = rows.exclude(Exists(own))
    for since in _contacts:
        rows = rows.exclude(since(before))
    return rows


def _clients(before: dt.datetime) -> "models.QuerySet[Client]":
    rows = _silent(before)
    for visited in _visited:
        rows = rows.filter(visited())
    return rows


def _prospects(before: dt.datetime) -> "models.QuerySet[Client]":
    rows = _silent(before)
    for visited in _visited:
        rows = rows.exclude(visited())
    return rows


def _ip(before: dt.datetime) -> "models.QuerySet[ConsentEvidence]":
    rows = ConsentEvidence.objects.filter(event__recorded_at__lt=before)
    return rows.exclude(ip_truncated="", user_agent_hash="")


def _end_ip(ids: Collection[int]) -> int:
    return ConsentEvidence.objects.filter(pk__in=ids).update(ip_truncated="", user_agent_hash="")


def _health(before: dt.datetime) -> "models.QuerySet[HealthNote]":
    return HealthNote.objects.filter(client__in=_silent(before).values("pk"), written_at__lt=before)


def _requests(before: dt.datetime) -> "models.QuerySet[RightsRequest]":
    return RightsRequest.objects.filter(received_on__lt=before.date())


def _ledger(before: dt.datetime) -> "models.QuerySet[Subject]":
    """Return whom the ledger is about who were forgotten, its last line (that their consents ended then) being that old."""
    events = ConsentEvent.objects.filter(subject=OuterRef("pk"))
    return Subject.objects.filter(Exists(events), ~Exists(events.filter(recorded_at__gte=before)), client=None)


def _end_ledger(ids: Collection[int]) -> int:
    """Delete the lines of these subjects, those that void others first, and the subjects with them."""
    with may_delete():
        events = ConsentEvent.objects.filter(subject__in=ids)
        events.exclude(voids=None).delete()
        events.delete()
    SignedForm.objects.filter(subject__in=ids).delete()
    Subject.objects.filter(pk__in=ids).delete()
    return len(ids)


def add_own() -> None:
    """Add the rules of the client book. Called once, when the app starts."""
    for rule in _OWN:
        register(rule)


_OWN = (
    Rule(
        "clients", lazy("Clients who have not been in touch"),
        lazy("From the last visit, booking or answer of their own; opening a mail is none. The CNIL names three years."),
        _clients,
    ),
    Rule(
        "prospects", lazy("Cards of people who never came"),
        lazy("From the last answer of their own, or from when the card was made. At most three years."), _prospects,
    ),
    Rule(
        "health", lazy("Health notes"), lazy("From the last visit. Health data is kept no longer than it is needed (Art. 9)."),
        _health, lambda ids: HealthNote.objects.filter(pk__in=ids).delete()[0],
    ),
    Rule(
        "consent_ip", lazy("Network address of an answer given online"),
        lazy("It is stored shortened, and proves little after a year."), _ip, _end_ip,
    ),
    Rule(
        "requests", lazy("Log of requests by clients"), lazy("As proof that they were answered in time."),
        _requests, lambda ids: RightsRequest.objects.filter(pk__in=ids).delete()[0],
    ),
    Rule(
        "ledger", lazy("Answers about marketing of people who were erased"),
        lazy("As long as a claim can be made: three years from the erasure in most countries."), _ledger, _end_ledger,
    ),
)  # fmt: skip
