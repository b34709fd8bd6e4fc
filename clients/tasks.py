"""What the alarm clock rings for the client book: without arguments, and lost, late or doubled without harm."""

from celery import shared_task
from django.utils import timezone

from clients import blacklist, inactivity, runs
from clients.duplicates import scan
from clients.exporting import exports
from clients.importing import jobs
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


@shared_task(name="clients.tidy")
def tidy() -> None:
    """Forget lists, delete files and notices that nobody needs any more, and look at the days of the blacklist."""
    now = timezone.now()
    jobs.tidy(now)
    exports.tidy(now)
    notices.tidy(now)
    runs.tidy(now)
    blacklist.expire(now)
    blacklist.remind(now)


@shared_task(name="clients.duplicates")
def duplicates() -> None:
    """Look whether a card that was added or changed is somebody who is there already; at night, whether any is."""
    scan.work(timezone.now())
