"""What becomes of a person's data when they ask, or when its time is over. Rows only: operations write."""

import uuid
from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clients.models.person import Client
from salon.core.clashes import Clash
from salon.core.models import User


class Deletion(models.Model):
    """A card that is to be erased: hidden, and until the day the owner can bring it back. Gone with the card."""

    client = models.OneToOneField(Client, on_delete=models.CASCADE, related_name="deletion")
    # Whether the client asked for it: then nothing is waited for but a cancellation that is to reach them.
    is_asked = models.BooleanField(default=False)
    erase_on = models.DateField()
    # Until then the card is not hidden, so that the client still gets the cancellation of their visits.
    waits_until = models.DateTimeField(null=True)
    # For bringing it back as it was: an inactive card with its reason.
    was_inactive = models.BooleanField(default=False)
    reason_before = models.CharField(max_length=20, blank=True)
    # What is needed to let the visits stand again that were cancelled with it (`clients.bookings.Slip`).
    cancelled = models.JSONField(default=list)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = [models.Index(fields=["erase_on"], name="clients_deletion_due")]

    class Privacy:
        """That somebody is to be forgotten goes when they are."""

        subject = "client"
        erase: ClassVar[set[str]] = {"is_asked", "erase_on", "waits_until", "was_inactive", "reason_before", "cancelled", "by"}
        keep: ClassVar[set[str]] = {"id", "client", "created_at"}

    class Merging:
        """A card that is to be deleted is not merged: `clients.merging.merges`."""

        clashes: ClassVar[dict[str, Clash]] = {"client": Clash.MAIN}

    def __str__(self) -> str:
        return f"deletion of client {self.client_id}"


class Erasure(models.Model):
    """That somebody was erased: when, why, by whom, what went and what stayed. Nothing here says who it was."""

    class Ground(models.TextChoices):
        """Why."""

        ASKED = "asked", _("The client asked for it")
        TIDYING = "tidying", _("Tidying up")
        RETENTION = "retention", _("Kept long enough")

    case = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    at = models.DateTimeField(db_index=True)
    ground = models.CharField(max_length=10, choices=Ground.choices)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    # Whether a restore had brought the person back, and they were erased again.
    is_again = models.BooleanField(default=False)
    # Rows by table; what stays and until when, as codes (`clients.erasure.kept`).
    tables = models.JSONField(default=dict)
    kept = models.JSONField(default=list)
    # When the database was written anew, so that no freed page holds what was in it. Empty: still to be done.
    wiped_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["wiped_at"], name="clients_erasure_unwiped", condition=models.Q(wiped_at=None))]

    class Privacy:
        """Counts, dates and codes: no person, by construction."""

        subject = None
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {"id", "case", "at", "ground", "by", "is_again", "tables", "kept", "wiped_at"}

    def __str__(self) -> str:
        return f"erasure {self.case}"


class OutsideCopy(models.Model):
    """Something of an erased person that a provider still holds, and how far asking for its deletion has come."""

    class State(models.TextChoices):
        """Where it stands."""

        OPEN = "open", _("To be asked")
        DONE = "done", _("Deleted there")
        GIVEN_UP = "given_up", _("Not answered")

    erasure = models.ForeignKey(Erasure, on_delete=models.CASCADE, related_name="outside")
    provider = models.CharField(max_length=20)
    # What the provider calls it; emptied once it is gone there.
    reference = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    next_at = models.DateTimeField()
    try_count = models.PositiveSmallIntegerField(default=0)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["next_at"], name="clients_outsidecopy_due", condition=models.Q(state="open"))]

    class Privacy:
        """A number of somebody else's, without a person beside it."""

        subject = None
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {"id", "erasure", "provider", "reference", "state", "next_at", "try_count", "settled_at"}

    def __str__(self) -> str:
        return f"copy at {self.provider}: {self.state}"


class RightsRequest(models.Model):
    """A client used a right: what they asked for, how they were known, when it was answered. Kept for three years."""

    class Kind(models.TextChoices):
        """Which right."""

        COPY = "copy", _("Copy of their data")
        CORRECTION = "correction", _("Correction")
        RESTRICTION = "restriction", _("Restriction")
        LIFTING = "lifting", _("End of a restriction")
        ERASURE = "erasure", _("Erasure")

    class Known(models.TextChoices):
        """How it was made sure that it is the client."""

        IN_PERSON = "in_person", _("Known in person at the salon")
        DOCUMENT = "document", _("Showed a document")
        ADDRESS = "address", _("Wrote from the address on the card")
        CALLED_BACK = "called_back", _("Called back on the number on the card")
        NOT_NEEDED = "not_needed", _("Not needed: the salon acts by itself")

    client = models.ForeignKey(Client, null=True, on_delete=models.SET_NULL, related_name="rights_requests")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    received_on = models.DateField()
    known_by = models.CharField(max_length=12, choices=Known.choices)
    answered_at = models.DateTimeField(null=True)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    # The erasure that it led to, by its case.
    case = models.UUIDField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = [models.Index(fields=["-received_on"], name="clients_rightsrequest_last")]

    class Privacy:
        """That a right was used stays as proof; whose it was goes."""

        subject = "client"
        erase: ClassVar[set[str]] = {"client"}
        keep: ClassVar[set[str]] = {"id", "kind", "received_on", "known_by", "answered_at", "by", "case", "created_at"}

    def __str__(self) -> str:
        return f"request {self.pk}: {self.kind}"


class Restriction(models.Model):
    """That a card may only be kept, and not used (Art. 18): why, until when, and how the client was told of its end."""

    class Reason(models.TextChoices):
        """Why."""

        DISPUTED = "disputed", _("The client says that something on the card is wrong")
        UNLAWFUL = "unlawful", _("Held without a ground, but the client wants no erasure")
        CLAIM = "claim", _("Needed for a legal claim")
        OBJECTION = "objection", _("An objection is being looked at")

    class Told(models.TextChoices):
        """How the client was told before it ended."""

        IN_PERSON = "in_person", _("In the salon")
        PHONE = "phone", _("By phone")
        EMAIL = "email", _("By e-mail")
        POST = "post", _("By letter")

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="restrictions")
    reason = models.CharField(max_length=10, choices=Reason.choices)
    note = models.CharField(max_length=300, blank=True)
    until = models.DateField(null=True)
    set_at = models.DateTimeField(default=timezone.now, editable=False)
    set_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    told_how = models.CharField(max_length=10, choices=Told.choices, blank=True)
    told_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["client"], name="clients_restriction_one_in_force", condition=models.Q(lifted_at=None)
            ),
            models.CheckConstraint(
                condition=models.Q(lifted_at=None) | models.Q(told_on__isnull=False), name="clients_restriction_ends_told"
            ),
        ]

    class Privacy:
        """Goes with the card."""

        subject = "client"
        erase: ClassVar[set[str]] = {"reason", "note", "until", "told_how", "told_on"}
        keep: ClassVar[set[str]] = {"id", "client", "set_at", "set_by", "lifted_at", "lifted_by"}

    class Merging:
        """A restricted card is not merged; the restrictions of before go along."""

        clashes: ClassVar[dict[str, Clash]] = {"client": Clash.MAIN}

    def __str__(self) -> str:
        return f"restriction of client {self.client_id}"
