"""What the alarm clock rings for the client book: without arguments, and lost, late or doubled without harm."""

from celery import shared_task
from django.utils import timezone

from clients import blacklist, clearing, deletions, growing_up, inactivity, retention_rules, runs
from clients.duplicates import scan
from clients.erasure import act
from clients.exporting import exports
from clients.importing import jobs
from clients.merging import stragglers
from salon.core import notices


@shared_task(name="clients.work")
def work() -> None:
    """Check, import and undo the lists that wait, and make inactive who was told meanwhile that an appointment is cancelled."""
    jobs.work()
    inactivity.settle(timezone.now())


@shared_task(name="clients.export")
def export() -> None:
    """Write the files that wait."""
    exports.work()


@shared_task(name="clients.erase")
def erase() -> None:
    """Delete those of whom many were to be, erase the clients whose day has come, do what is left of erasures before."""
    clearing.work()
    now = timezone.now()
    deletions.work(now)
    act.finish(now)


@shared_task(name="clients.retain")
def retain() -> None:
    """Delete what was kept long enough, as far as the owner has switched that on; end what parents agreed to for grown-ups.

    Called every hour, so that a clock that was off at night misses no day; each rule runs once a day.
    """
    now = timezone.now()
    growing_up.expire(now)
    retention_rules.run(now)


@shared_task(name="clients.tidy")
def tidy() -> None:
    """Forget lists, delete files and notices that nobody needs any more, and look at the days of the blacklist.

    Bring what came late to a merged card home.
    """
    now = timezone.now()
    stragglers.sweep(now)
    stragglers.forget(now)
    jobs.tidy(now)
    exports.tidy(now)
    notices.tidy(now)
    runs.tidy(now)
    clearing.tidy(now)
    blacklist.expire(now)
    blacklist.remind(now)


@shared_task(name="clients.duplicates")
def duplicates() -> None:
    """Look whether a card that was added or changed is somebody who is there already; at night, whether any is."""
    scan.work(timezone.now())
