"""What the alarm clock rings: each task is one line, without arguments, and may be lost, late or doubled without harm."""

from celery import shared_task
from django.utils import timezone

from notifications import dispatch, planner


@shared_task(name="notifications.plan")
def plan() -> None:
    """Fill the outbox."""
    planner.plan(timezone.now())


@shared_task(name="notifications.deliver")
def deliver() -> None:
    """Hand over what is due."""
    dispatch.deliver_due()


@shared_task(name="notifications.wake")
def wake() -> None:
    """Fill the outbox and hand over what is due: somebody is waiting for a confirmation."""
    planner.plan(timezone.now())
    dispatch.deliver_due()
