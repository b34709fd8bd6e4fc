"""What the alarm clock rings for the client book: without arguments, and lost, late or doubled without harm."""

from celery import shared_task
from django.utils import timezone

from clients.exporting import exports
from clients.importing import jobs
from clients.merging import stragglers
from salon.core import notices


@shared_task(name="clients.work")
def work() -> None:
    """Check, import and undo the lists that wait."""
    jobs.work()


@shared_task(name="clients.export")
def export() -> None:
    """Write the files that wait."""
    exports.work()


@shared_task(name="clients.tidy")
def tidy() -> None:
    """Forget lists, delete files and notices that nobody needs any more. Bring what came late to a merged card home."""
    now = timezone.now()
    stragglers.sweep(now)
    stragglers.forget(now)
    jobs.tidy(now)
    exports.tidy(now)
    notices.tidy(now)
