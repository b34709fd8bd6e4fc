"""How long things are kept, as rules: what each touches, a preview, the warning a month before, and the daily run.

A rule does nothing until the owner has seen its preview and switched it on. The rooms above add theirs when they start.
"""

import datetime as dt
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db import models, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils.functional import Promise

from clients import lengths
from clients.erasure import act
from clients.models import Client, Erasure, RetentionHold, RetentionRule, RetentionWarning
from salon.core import audit, notices
from salon.core.errors import Refused
from salon.core.models import Salon, User
from salon.core.roles import May, roles_with

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


def contacts() -> Sequence[LastContact]:
    """Return the conditions by which somebody got in touch, as the rooms above gave them."""
    return tuple(_contacts)


def visited() -> Sequence[Callable[[], Q]]:
    """Return the conditions by which somebody ever was a client."""
    return tuple(_visited)


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
    RetentionHold.objects.filter(until__lte=today).delete()
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
    """Tell everybody who may say that a card is to be kept."""
    for user in User.objects.filter(is_active=True, role__in=roles_with(May.DELETE_CLIENTS)).order_by("pk"):
        notices.tell(user, NOTICE, url=reverse("clients:retention_due"), now=now, count=count)
