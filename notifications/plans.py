"""What the salon sets for its messages: when reminders leave, for whom not, and its own texts. Rows only.

Part of the models: `reminders` writes the times, `texts` the texts.
"""

from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from appointments.models import Service
from clients.models import Channel, Client
from salon.core.clashes import Clash
from salon.core.models import User

# So many reminders of one visit at most.
TIMES_MAX = 3
DAYS_MAX = 30
HOURS_MAX = 72


class ReminderTime(models.Model):
    """One of up to three reminders of a visit: days before at a wall time of the salon, or hours before.

    The slot names the thing said, so a time that is set anew does not say a thing twice.
    """

    slot = models.PositiveSmallIntegerField(primary_key=True, validators=[MinValueValidator(1), MaxValueValidator(TIMES_MAX)])
    is_on = models.BooleanField(_("on"), default=True)
    days_before = models.PositiveSmallIntegerField(_("days before"), null=True, validators=[MaxValueValidator(DAYS_MAX)])
    at = models.TimeField(_("at"), null=True)
    hours_before = models.PositiveSmallIntegerField(
        _("hours before"), null=True, validators=[MinValueValidator(1), MaxValueValidator(HOURS_MAX)]
    )

    class Meta:
        ordering = ["slot"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(days_before__isnull=False, at__isnull=False, hours_before=None)
                | models.Q(days_before=None, at=None, hours_before__isnull=False),
                name="notifications_remindertime_one_way",
            ),
            models.CheckConstraint(
                condition=models.Q(slot__gte=1, slot__lte=TIMES_MAX), name="notifications_remindertime_known_slot"
            ),
        ]

    class Privacy:
        """No person."""

        subject = None
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {"slot", "is_on", "days_before", "at", "hours_before"}

    def __str__(self) -> str:
        return f"reminder {self.slot}"


class ReminderException(models.Model):
    """That one of the reminders is on or off for a service, or for a client, whatever the salon set. The client's wins."""

    time = models.ForeignKey(ReminderTime, on_delete=models.CASCADE, related_name="exceptions")
    service = models.ForeignKey(Service, null=True, on_delete=models.CASCADE, related_name="+")
    client = models.ForeignKey(Client, null=True, on_delete=models.CASCADE, related_name="reminder_exceptions")
    is_on = models.BooleanField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(service=None, client__isnull=False) | models.Q(service__isnull=False, client=None),
                name="notifications_reminderexception_of_one",
            ),
            models.UniqueConstraint(fields=["time", "service"], name="notifications_reminderexception_service"),
            models.UniqueConstraint(fields=["time", "client"], name="notifications_reminderexception_client"),
        ]

    class Privacy:
        """Which reminders somebody wants; goes with the card."""

        subject = "client"
        erase: ClassVar[set[str]] = {"is_on"}
        keep: ClassVar[set[str]] = {"id", "time", "service", "client"}

    class Merging:
        """Who did not want a reminder on one card gets none: `notifications.joining`."""

        clashes: ClassVar[dict[str, Clash]] = {"client": Clash.BY_HAND}

    def __str__(self) -> str:
        return f"reminder {self.time_id}: {'on' if self.is_on else 'off'}"


class MessageText(models.Model):
    """One version of the salon's own text for a kind, a channel and a language. The newest is in force; none is changed.

    `is_reset`: from this version on the house's own text holds again. What was sent names its version.
    """

    kind = models.CharField(max_length=20)
    channel = models.CharField(max_length=10, choices=Channel.choices)
    language = models.CharField(max_length=5, choices=settings.LANGUAGES)
    version = models.PositiveIntegerField()
    # Empty on channels that have none.
    subject = models.CharField(_("subject"), max_length=150, blank=True)
    body = models.TextField(_("text"), max_length=4000, blank=True)
    is_reset = models.BooleanField(default=False)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["kind", "channel", "language", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "channel", "language", "version"], name="notifications_messagetext_once"),
            models.CheckConstraint(
                condition=models.Q(is_reset=True, subject="", body="") | models.Q(is_reset=False) & ~models.Q(body=""),
                name="notifications_messagetext_says_something",
            ),
        ]

    class Privacy:
        """The salon's own words to everybody."""

        subject = None
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {
            "id", "kind", "channel", "language", "version", "subject", "body", "is_reset", "created_by", "created_at",
        }  # fmt: skip

    def __str__(self) -> str:
        return f"{self.kind} {self.channel} {self.language} {self.version}"
