"""The visit and what it needs: services, staff, hours. Changes go through `booking`."""

import datetime as dt
from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from clients.models import Client
from salon.core.clashes import Clash
from salon.core.models import User


class Service(models.Model):
    """Something the salon does for a client."""

    name = models.CharField(_("name"), max_length=100)
    category = models.CharField(_("category"), max_length=60, blank=True)
    duration_minutes = models.PositiveSmallIntegerField(
        _("duration in minutes"), validators=[MinValueValidator(5), MaxValueValidator(720)]
    )
    price = models.DecimalField(_("price"), max_digits=8, decimal_places=2, validators=[MinValueValidator(0)])
    rebook_weeks = models.PositiveSmallIntegerField(
        _("weeks until the next visit"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(104)]
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("offered"), default=True)

    class Meta:
        ordering = ["position", "name", "id"]

    class Privacy:
        """No person."""

        subject = None
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {
            "id", "name", "category", "duration_minutes", "price", "rebook_weeks", "position", "is_active",
        }  # fmt: skip

    def __str__(self) -> str:
        return self.name


class Staff(models.Model):
    """Somebody who works with clients: a column of the calendar. May have a user to sign in with."""

    name = models.CharField(_("name"), max_length=60)
    user = models.OneToOneField(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="staff")
    color = models.PositiveSmallIntegerField(_("colour"), default=1, validators=[MinValueValidator(1), MaxValueValidator(8)])
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("works here"), default=True)

    class Meta:
        ordering = ["position", "name", "id"]
        verbose_name_plural = _("staff")

    class Privacy:
        """A member of the team, not a client."""

        subject = None
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {"id", "name", "user", "color", "position", "is_active"}

    def __str__(self) -> str:
        return self.name


class WorkingHours(models.Model):
    """When somebody works on a day of the week, in the salon's wall time. Two rows make a day with a break."""

    staff = models.ForeignKey(Staff, on_delete=models.CASCADE, related_name="hours")
    weekday = models.PositiveSmallIntegerField(_("weekday"), validators=[MaxValueValidator(6)])  # 0 is Monday
    starts_at = models.TimeField(_("from"))
    ends_at = models.TimeField(_("to"))

    class Meta:
        ordering = ["staff", "weekday", "starts_at"]
        constraints = [
            models.CheckConstraint(condition=models.Q(ends_at__gt=models.F("starts_at")), name="appointments_hours_forward"),
            models.CheckConstraint(condition=models.Q(weekday__lte=6), name="appointments_hours_weekday"),
        ]

    class Privacy:
        """A member of the team, not a client."""

        subject = None
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {"id", "staff", "weekday", "starts_at", "ends_at"}

    def __str__(self) -> str:
        return f"{self.staff} {self.weekday}: {self.starts_at:%H:%M}–{self.ends_at:%H:%M}"


class StaffDay(models.Model):
    """The row that a booking locks: one person on one day. Holds nothing else."""

    staff = models.ForeignKey(Staff, on_delete=models.CASCADE, related_name="+")
    on = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["staff", "on"], name="appointments_staffday_once")]

    class Privacy:
        """No client."""

        subject = None
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {"id", "staff", "on"}

    def __str__(self) -> str:
        return f"{self.staff_id} {self.on}"


class State(models.TextChoices):
    """Where a visit stands. The steps between them: `appointments.states`."""

    BOOKED = "booked", _("Booked")
    CONFIRMED = "confirmed", _("Confirmed")
    ARRIVED = "arrived", _("Arrived")
    IN_CHAIR = "in_chair", _("In chair")
    DONE = "done", _("Done")
    NO_SHOW = "no_show", _("No-show")
    CANCELLED = "cancelled", _("Cancelled")


# The states in which the visit takes somebody's time, so that another one would overlap it.
TAKES_TIME = (State.BOOKED, State.CONFIRMED, State.ARRIVED, State.IN_CHAIR, State.DONE)
# The states in which the client is still to be served.
TO_DO = (State.BOOKED, State.CONFIRMED, State.ARRIVED, State.IN_CHAIR)
# The states in which the visit is still to come.
STANDS = (State.BOOKED, State.CONFIRMED)


class AppointmentQuerySet(models.QuerySet["Appointment"]):
    """Questions about visits."""

    def standing(self) -> "AppointmentQuerySet":
        """Return the visits that are still to happen."""
        return self.filter(state__in=STANDS)

    def taking_time(self) -> "AppointmentQuerySet":
        """Return the visits that fill somebody's time."""
        return self.filter(state__in=TAKES_TIME)

    def upcoming(self, now: dt.datetime) -> "AppointmentQuerySet":
        """Return the visits that stand and begin at or after `now`."""
        return self.standing().filter(start_at__gte=now)

    def overlapping(self, start_at: dt.datetime, end_at: dt.datetime) -> "AppointmentQuerySet":
        """Return the visits that share time with [start_at, end_at)."""
        return self.filter(start_at__lt=end_at, end_at__gt=start_at)


class Appointment(models.Model):
    """A visit: who comes, for what, with whom, when."""

    # Client and service have no index of their own: those below begin with them.
    client = models.ForeignKey(
        Client, null=True, blank=True, on_delete=models.PROTECT, related_name="appointments", db_index=False
    )
    staff = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="appointments")
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="appointments", db_index=False)
    start_at = models.DateTimeField()
    end_at = models.DateTimeField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.BOOKED)
    price = models.DecimalField(max_digits=8, decimal_places=2)
    note = models.TextField(_("note for this visit"), max_length=1000, blank=True)
    is_overbooked = models.BooleanField(default=False)
    # Raised whenever the time, the person or the service changes: a message speaks of one version of the visit.
    time_version = models.PositiveIntegerField(default=1)
    time_set_at = models.DateTimeField(default=timezone.now)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    # Whether the client is to be told of the last booking, move or cancellation.
    is_notice_wanted = models.BooleanField(default=False)
    # One key per press of the button, so that a double click is one booking.
    idempotency_key = models.CharField(max_length=64, null=True, blank=True, unique=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = AppointmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(end_at__gt=models.F("start_at")), name="appointments_appointment_forward"),
            models.CheckConstraint(condition=models.Q(state__in=State.values), name="appointments_appointment_known_state"),
            models.CheckConstraint(
                condition=models.Q(state="cancelled", cancelled_at__isnull=False)
                | (~models.Q(state="cancelled") & models.Q(cancelled_at=None)),
                name="appointments_appointment_cancelled_with_time",
            ),
        ]
        indexes = [
            models.Index(fields=["staff", "start_at"], name="appointments_by_staff"),
            models.Index(fields=["client", "-start_at"], name="appointments_by_client"),
            models.Index(fields=["service", "start_at"], name="appointments_by_service"),
            models.Index(fields=["start_at"], name="appointments_by_start"),
            models.Index(fields=["time_set_at"], name="appointments_by_set"),
            models.Index(fields=["cancelled_at"], name="appointments_by_cancel", condition=models.Q(cancelled_at__isnull=False)),
        ]

    class Privacy:
        """The visit stays for the takings, without the person and their words."""

        subject = "client"
        erase: ClassVar[set[str]] = {"client", "note", "idempotency_key"}
        keep: ClassVar[set[str]] = {
            "id", "staff", "service", "start_at", "end_at", "state", "price", "is_overbooked", "time_version",
            "time_set_at", "cancelled_at", "is_notice_wanted", "created_at", "created_by", "version",
        }  # fmt: skip

    class Merging:
        """Every visit goes along. What the undo of a merge says of those that came since."""

        clashes: ClassVar[dict[str, Clash]] = {}
        stays = ngettext_lazy(
            "%(count)s new appointment stays with %(name)s", "%(count)s new appointments stay with %(name)s", "count"
        )

    def __str__(self) -> str:
        return f"{self.start_at:%Y-%m-%d %H:%M} {self.service}"


class UsualStaff(models.Model):
    """With whom a client usually books. On this side of the line, because a card knows nobody who works here."""

    client = models.OneToOneField(Client, on_delete=models.CASCADE, related_name="usual_staff")
    staff = models.ForeignKey(Staff, on_delete=models.CASCADE, related_name="regulars")

    class Privacy:
        """A habit; goes with the card."""

        subject = "client"
        erase: ClassVar[set[str]] = {"staff"}
        keep: ClassVar[set[str]] = {"id", "client"}

    class Merging:
        """The main card's habit stays."""

        clashes: ClassVar[dict[str, Clash]] = {"client": Clash.MAIN}

    def __str__(self) -> str:
        return f"client {self.client_id} with {self.staff_id}"


class OwnRhythm(models.Model):
    """After how many weeks a client likes to come again, where it is another number than the service's or the salon's."""

    client = models.OneToOneField(Client, on_delete=models.CASCADE, related_name="own_rhythm")
    weeks = models.PositiveSmallIntegerField(
        _("weeks until the next visit"), validators=[MinValueValidator(1), MaxValueValidator(104)]
    )

    class Privacy:
        """A habit; goes with the card."""

        subject = "client"
        erase: ClassVar[set[str]] = {"weeks"}
        keep: ClassVar[set[str]] = {"id", "client"}

    class Merging:
        """The main card's rhythm stays."""

        clashes: ClassVar[dict[str, Clash]] = {"client": Clash.MAIN}

    def __str__(self) -> str:
        return f"client {self.client_id} after {self.weeks} weeks"
