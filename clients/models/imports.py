"""A list that is brought in. Rows only: `clients.importing` moves them."""

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clients.models.person import Client
from salon.core.models import User


class Import(models.Model):
    """A list that somebody brought: its rows as read, what its columns hold, how far it is and what it did.

    Only `clients.importing.jobs` moves its state.
    """

    class State(models.TextChoices):
        """Where it stands."""

        UPLOADED = "uploaded", _("Columns to check")
        CHECKING = "checking", _("Being checked")
        CHECKED = "checked", _("Ready to import")
        RUNNING = "running", _("Running")
        DONE = "done", _("Imported")
        FAILED = "failed", _("Stopped")
        UNDOING = "undoing", _("Being undone")
        UNDONE = "undone", _("Undone")
        DISCARDED = "discarded", _("Discarded")

    state = models.CharField(max_length=10, choices=State.choices, default=State.UPLOADED)
    title = models.CharField(max_length=100)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    settled_at = models.DateTimeField(null=True)

    # Header and rows, compressed (`stored`); empty once nobody may need them any more.
    sheet = models.BinaryField(default=bytes)
    row_count = models.PositiveIntegerField(default=0)
    # What the columns hold where somebody said so by hand: field by the column's number.
    columns = models.JSONField(null=True)
    # What the check found (`report`): counts, and the rows to look at.
    report = models.JSONField(default=dict)

    # Steps of the job in hand, and what stands in the book so far.
    step_count = models.PositiveIntegerField(default=0)
    steps_done = models.PositiveIntegerField(default=0)
    new_count = models.PositiveIntegerField(default=0)
    filled_count = models.PositiveIntegerField(default=0)
    claim_count = models.PositiveIntegerField(default=0)
    stop_count = models.PositiveIntegerField(default=0)
    taken_back_count = models.PositiveIntegerField(default=0)
    kept_count = models.PositiveIntegerField(default=0)

    # Whose job it is; after the lease anybody's, who then goes on where it stopped.
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    try_count = models.PositiveSmallIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["state", "id"], name="clients_import_waiting")]

    class Privacy:
        """A list of many people, kept for days and then emptied whole: nobody is taken out of it singly."""

        subject = None
        erase: ClassVar[set[str]] = {"title", "sheet", "columns", "report"}
        keep: ClassVar[set[str]] = {
            "id", "state", "by", "created_at", "settled_at", "row_count", "step_count", "steps_done", "new_count",
            "filled_count", "claim_count", "stop_count", "taken_back_count", "kept_count", "lease_token", "lease_until",
            "try_count",
        }  # fmt: skip

    def __str__(self) -> str:
        return f"import {self.pk}"


class ImportedCard(models.Model):
    """A card that an import made or filled: for good that it did, and for its undo keyed digests of what it wrote, no values.

    Whether a client may get offers without a Yes, and a welcome, rests on there being such a row.
    """

    source = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="cards")
    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="imports")
    is_new = models.BooleanField()
    # Digest by field. Of a new card every field has one, the empty ones too; none of any once the undo is over.
    marks = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now)
    # What an undo did with it: nothing yet, emptied, or the code of the reason why it stays (`undoing`).
    outcome = models.CharField(max_length=60, blank=True)

    class Meta:
        indexes = [models.Index(fields=["source", "outcome", "client"], name="clients_importedcard_undo")]

    class Privacy:
        """That a list named them; goes with the card."""

        subject = "client"
        erase: ClassVar[set[str]] = {"marks"}
        keep: ClassVar[set[str]] = {"id", "source", "client", "is_new", "at", "outcome"}

    def __str__(self) -> str:
        return f"card {self.client_id} of import {self.source_id}"
