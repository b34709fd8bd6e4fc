"""Hands events over to connected systems: at least once, in the order of each client, and no system waits for another.

A system is served by one sender at a time, which holds it by a lease. What was begun and not settled is sent again with the
same id. After ten tries over three days the system is switched off and the owners are told; what waits goes on waiting.
"""

import datetime as dt
import logging
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

from django.db import connections, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from notifications.systems import line, payload, signing
from notifications.systems.line import Answer
from notifications.systems.models import Delivery, OtherSystem
from salon.core import audit, failpoints, instance, leases, notices, secrets
from salon.core.models import Salon, User
from salon.core.roles import May, roles_with

log = logging.getLogger(__name__)
Clock = Callable[[], dt.datetime]
State = Delivery.State

# How long to wait after each try that failed: ten tries in three days.
RESTS = [
    *(dt.timedelta(minutes=minutes) for minutes in (1, 5, 30)),
    *(dt.timedelta(hours=hours) for hours in (2, 5, 10, 14, 20)), dt.timedelta(hours=20, minutes=24),
]  # fmt: skip
TRIES = len(RESTS) + 1
# How long a sender stays with one system, so that it begins anew with what it should know.
ROUND_SECONDS = 60.0
AGENT = "Carnet"
# What is not read where it is not needed: a key of the installation may be lost.
SEALED = ("secret", "old_secret")

stopping = threading.Event()
_senders = ThreadPoolExecutor(max_workers=8, thread_name_prefix="systems")


class Lost(Exception):
    """The lease ran out and somebody else serves the system."""


def deliver_due(*, is_waiting: bool = True) -> int:
    """Serve every system that something waits for, each in a thread of its own, and return how many there are.

    With `is_waiting` return when that is done; without, at once: a slow system then holds up nobody.
    """
    due = due_systems(timezone.now())
    futures = [_senders.submit(_serve_apart, pk) for pk in due]
    if is_waiting:
        wait(futures)
    return len(due)


def due_systems(now: dt.datetime) -> list[int]:
    """Return the systems that can be told something now and that nobody serves. None while this installation is on hold."""
    salon = Salon.objects.filter(pk=1).first()
    if salon is None or salon.delivery != Salon.Delivery.LIVE or not instance.is_ours(salon):
        return []
    waiting = Delivery.objects.filter(system=OuterRef("pk"), state=State.WAITING, next_at__lte=now)
    return list(_open(now).filter(Exists(waiting), leases.free()).values_list("pk", flat=True))


def serve(pk: int, *, clock: Clock = timezone.now) -> int:
    """Tell one system what is due, in order, until nothing is left or it fails; return how many events were looked at."""
    token, count, until = uuid.uuid4(), 0, time.monotonic() + ROUND_SECONDS
    free = _open(clock()).filter(leases.free(), pk=pk)
    if free.update(lease_token=token, lease_until=Now() + leases.LEASE) != 1:
        return 0
    try:
        while not stopping.is_set() and time.monotonic() < until:
            system = _held(pk, token)
            delivery = _take(system, token, clock())
            if delivery is None:
                break
            count += 1
            if not _tell(system, delivery, clock):
                break
    except Lost:
        log.warning("system %s: another sender has it", pk)
    except secrets.Unreadable:
        give_up(OtherSystem.objects.defer(*SEALED).get(pk=pk), OtherSystem.Off.UNREADABLE, clock())
    finally:
        OtherSystem.objects.filter(pk=pk, lease_token=token).update(**leases.FREE)
    return count


def request(system: OtherSystem, event_id: str, body: bytes, now: dt.datetime) -> Answer:
    """Make one signed request and return what came of it."""
    seconds = int(now.timestamp())
    headers = {
        "Content-Type": "application/json", "User-Agent": AGENT, "webhook-id": event_id, "webhook-timestamp": str(seconds),
        "webhook-signature": signing.sign(keys(system, now), event_id, seconds, body),
    }  # fmt: skip
    return line.post(system.url, body, headers)


def keys(system: OtherSystem, now: dt.datetime) -> list[str]:
    """Return the secrets that count at present, the newest first."""
    is_changing = bool(system.old_secret) and system.old_until is not None and system.old_until > now
    return [system.secret, *([system.old_secret] if is_changing else [])]


def _serve_apart(pk: int) -> None:
    try:
        serve(pk)
    except Exception as error:
        log.error("system %s: %s", pk, type(error).__name__)  # no more: the text may hold an address
        raise
    finally:
        connections.close_all()


def _open(now: dt.datetime) -> QuerySet[OtherSystem]:
    rested = Q(next_at=None) | Q(next_at__lte=now)
    return OtherSystem.objects.filter(rested, way=OtherSystem.Way.CONNECTED, is_on=True)


def _held(pk: int, token: uuid.UUID) -> OtherSystem:
    """Renew the lease and return the system as it is now. Raises Lost if it is not ours, or was switched off."""
    ours = OtherSystem.objects.filter(pk=pk, lease_token=token, is_on=True)
    if ours.update(lease_until=Now() + leases.LEASE) != 1:
        raise Lost
    return OtherSystem.objects.get(pk=pk)


def _take(system: OtherSystem, token: uuid.UUID, now: dt.datetime) -> Delivery | None:
    """Return the next event, marked as begun before anything of the client is read. None if nothing is due.

    Never one before which another about the same client waits: a try that rests holds up its own client alone.
    """
    waiting = Delivery.objects.filter(system=system, state=State.WAITING)
    earlier = waiting.filter(client_number=OuterRef("client_number"), pk__lt=OuterRef("pk"))
    delivery = waiting.filter(~Exists(earlier), next_at__lte=now).order_by("next_at", "pk").first()
    if delivery is None:
        return None
    taken = waiting.filter(pk=delivery.pk).update(token=token, try_count=F("try_count") + 1)
    delivery.token, delivery.try_count = token, delivery.try_count + 1
    return delivery if taken == 1 else None


def _tell(system: OtherSystem, delivery: Delivery, clock: Clock) -> bool:
    """Tell one event, note what came of it, and return whether the next may follow at once."""
    body = payload.of(delivery, system, clock())
    if body is None:
        _ours(delivery).update(state=State.PASSED, told_at=clock(), token=None)
        return True
    failpoints.hit("system_before_send")
    answer = request(system, delivery.event_id, body, clock())
    failpoints.hit("system_sent")
    return settle(system, delivery, answer, now=clock())


@transaction.atomic
def settle(system: OtherSystem, delivery: Delivery, answer: Answer, *, now: dt.datetime) -> bool:
    """Write down what came of a try, and return whether the next may follow at once. Raises Lost if it is not ours."""
    rows = OtherSystem.objects.filter(pk=system.pk)
    if answer.is_taken:
        told = {"state": State.TOLD, "told_at": now, "token": None, "status": answer.status, "code": ""}
        if _ours(delivery).update(**told) != 1:
            raise Lost
        rows.update(failure_count=0, next_at=None, last_ok_at=now)
        return True
    # One that fails by itself (a 4xx, or a 500 over its data) rests for itself; a system that is down rests as a whole.
    failures = system.failure_count + 1 if answer.is_about_the_system else 0
    count = max(delivery.try_count, failures)
    failed = {"token": None, "status": answer.status, "code": answer.code, "next_at": now + _rest(count)}
    if _ours(delivery).update(**failed) != 1:
        raise Lost
    if failures:
        rows.update(failure_count=failures, next_at=now + _rest(failures))
    if count >= TRIES:
        give_up(system, OtherSystem.Off.FAILING, now)
    return not failures and count < TRIES


def _rest(count: int) -> dt.timedelta:
    return RESTS[min(count, len(RESTS)) - 1]


def _ours(delivery: Delivery) -> QuerySet[Delivery]:
    return Delivery.objects.filter(pk=delivery.pk, state=State.WAITING, token=delivery.token)


@transaction.atomic
def give_up(system: OtherSystem, reason: str, now: dt.datetime) -> None:
    """Switch the system off and tell the owners. What waits goes on waiting until it is switched on again."""
    OtherSystem.objects.filter(pk=system.pk).update(is_on=False, off_reason=reason, off_at=now)
    waiting = Delivery.objects.filter(system=system, state=State.WAITING).count()
    audit.record("system.gave_up", system, by=None, reason=reason, count=waiting)
    url = reverse("notifications:system", args=[system.pk])
    for owner in User.objects.filter(is_active=True, role__in=roles_with(May.EDIT_SENDING)):
        notices.tell(owner, "system_failed", url=url, now=now, system=system.pk, count=waiting)
