"""The other systems of the salon, what each is still to be told, and what came from them. No row holds a value of a person."""

import secrets
import uuid
from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from salon.core.models import User
from salon.core.secrets import EncryptedField


def new_public_id() -> str:
    """Return the part of the address under which a system reaches us: 144 random bits."""
    return secrets.token_urlsafe(18)


def new_event_id() -> str:
    """Return the id by which whoever gets an event twice knows it again."""
    return f"msg_{uuid.uuid4().hex}"


class OtherSystem(models.Model):
    """One other system of the salon: connected (events go to its address), or one that somebody tells by hand."""

    class Way(models.TextChoices):
        """How it is told."""

        CONNECTED = "connected", _("Connected: Carnet tells it by itself")
        BY_HAND = "by_hand", _("By hand: Carnet reminds you to tell it")

    class Off(models.TextChoices):
        """Why nothing goes to it."""

        NONE = ""
        BY_HAND = "by_hand"
        FAILING = "failing"
        UNREADABLE = "secret"

    name = models.CharField(_("name"), max_length=80)
    way = models.CharField(max_length=10, choices=Way.choices)
    url = models.CharField(max_length=500, blank=True)
    secret = EncryptedField(blank=True)
    # While the receiver changes over, both secrets sign.
    old_secret = EncryptedField(blank=True)
    old_until = models.DateTimeField(null=True)
    public_id = models.CharField(max_length=40, unique=True, default=new_public_id)
    has_email = models.BooleanField(default=False)
    has_phone = models.BooleanField(default=False)
    is_on = models.BooleanField(default=True)
    off_reason = models.CharField(max_length=10, choices=Off.choices, blank=True, default="")
    off_at = models.DateTimeField(null=True)
    # Failures of the system as a whole, one after the other, and until when it is left alone.
    failure_count = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True)
    last_ok_at = models.DateTimeField(null=True)
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(way="by_hand", url="", secret="") | (models.Q(way="connected") & ~models.Q(url="")),
                name="notifications_othersystem_connected_has_an_address",
            )
        ]

    class Privacy:
        """A system, no person."""

        subject = None
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {
            "id", "name", "way", "url", "secret", "old_secret", "old_until", "public_id", "has_email", "has_phone", "is_on",
            "off_reason", "off_at", "failure_count", "next_at", "last_ok_at", "lease_token", "lease_until", "created_at",
        }  # fmt: skip

    def __str__(self) -> str:
        return self.name


class Change(models.Model):
    """A mark that a client's answers, or the stop of an address, changed: written with the change, gone once it is planned.

    Not a foreign key: a card that a row points at could not be taken back with its import.
    """

    client_number = models.BigIntegerField(null=True)
    channel = models.CharField(max_length=10, blank=True)
    hmac = models.CharField(max_length=64, blank=True)
    is_refusal = models.BooleanField(default=False)
    # The system that told us: it is not told its own news.
    origin = models.ForeignKey(OtherSystem, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Privacy:
        """A number of a card or a keyed hash, for some seconds."""

        subject = None
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {"id", "client_number", "channel", "hmac", "is_refusal", "origin", "at"}

    def __str__(self) -> str:
        return f"change {self.pk}"


class Delivery(models.Model):
    """One thing that a system is to be told about a client. What it says is read when it leaves: nothing personal waits here."""

    class Kind(models.TextChoices):
        """What happened."""

        CHANGED = "client.preferences.changed", _("Answers changed")
        ERASED = "client.erased", _("Client erased")
        MERGED = "client.merged", _("Cards merged")
        TEST = "test", _("Test")

    class State(models.TextChoices):
        """Where it stands. WAITING ends by being told, or by not being true any more."""

        WAITING = "waiting", _("Waiting")
        TOLD = "told", _("Told")
        PASSED = "passed", _("Not needed any more")

    system = models.ForeignKey(OtherSystem, on_delete=models.CASCADE, related_name="deliveries")
    event_id = models.CharField(max_length=40, unique=True, default=new_event_id)
    kind = models.CharField(max_length=30, choices=Kind.choices)
    client_number = models.BigIntegerField()
    # Rises with every event about a client, with gaps: milliseconds of the clock, or one more than the last.
    sequence = models.BigIntegerField()
    # When the card was erased or merged: the same is said once.
    about_at = models.DateTimeField(null=True)
    origin = models.ForeignKey(OtherSystem, null=True, on_delete=models.SET_NULL, related_name="+")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    try_count = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(default=timezone.now)
    # Whose try is under way: once it is set, what is said may have been read already.
    token = models.UUIDField(null=True)
    told_at = models.DateTimeField(null=True)
    told_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    status = models.PositiveSmallIntegerField(null=True)
    code = models.CharField(max_length=20, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["system", "client_number", "sequence"], name="notifications_delivery_one_a_sequence")
        ]
        indexes = [
            models.Index(fields=["system", "next_at"], name="notifications_delivery_waiting", condition=models.Q(state="waiting"))
        ]

    class Privacy:
        """The number of a card and what became of telling about it."""

        subject = None
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {
            "id", "system", "event_id", "kind", "client_number", "sequence", "about_at", "origin", "state", "try_count",
            "next_at", "token", "told_at", "told_by", "status", "code", "created_at",
        }  # fmt: skip

    def __str__(self) -> str:
        return f"{self.kind} of card {self.client_number}: {self.state}"


class Received(models.Model):
    """An event that a system sent us, by its id: the same one counts once."""

    system = models.ForeignKey(OtherSystem, on_delete=models.CASCADE, related_name="received")
    event_id = models.CharField(max_length=100)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["system", "event_id"], name="notifications_received_once")]

    class Privacy:
        """An id that the other system made up."""

        subject = None
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {"id", "system", "event_id", "at"}

    def __str__(self) -> str:
        return self.event_id
