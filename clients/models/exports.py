"""A list that is given out. Rows only: `clients.exporting` moves them."""

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from salon.core.models import User


class Export(models.Model):
    """A file of clients that somebody asked for: what is in it, what for, how far it is. `clients.exporting.exports` moves it."""

    class State(models.TextChoices):
        """Where it stands."""

        RUNNING = "running", _("Being written")
        READY = "ready", _("Ready")
        HANDED = "handed", _("Downloaded at once")
        FAILED = "failed", _("Stopped")
        EXPIRED = "expired", _("Deleted")

    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    settled_at = models.DateTimeField(null=True)

    # What was asked for: columns, who of the list, and the list as in its address.
    preset = models.CharField(max_length=20)
    who = models.CharField(max_length=10)
    text = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=10)
    sort = models.CharField(max_length=10)
    filters = models.CharField(max_length=300, blank=True, default="")
    # Ids of those who were unticked, so that they are not in the file.
    but = models.JSONField(default=list)
    purpose = models.CharField(max_length=200, blank=True)
    # The password of the file, sealed, while the file is not written yet; and whether it got one.
    password = models.TextField(null=True)
    is_protected = models.BooleanField(default=False)

    row_count = models.PositiveIntegerField(default=0)
    rows_done = models.PositiveIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0)
    # Why it stopped: a code of `exports.REASONS`.
    reason = models.CharField(max_length=10, blank=True)

    # Whose job it is; after the lease anybody's, who then begins anew.
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    try_count = models.PositiveSmallIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["state", "id"], name="clients_export_waiting")]

    class Privacy:
        """Who took what out of the house; what was searched and what for may name somebody."""

        subject = None
        erase: ClassVar[set[str]] = {"text", "purpose", "password"}
        keep: ClassVar[set[str]] = {
            "id", "state", "by", "created_at", "settled_at", "preset", "who", "status", "sort", "filters", "row_count",
            "rows_done", "size", "reason", "lease_token", "lease_until", "try_count",
            "is_protected", "but",
        }  # fmt: skip

    def __str__(self) -> str:
        return f"export {self.pk}"


class ExportPart(models.Model):
    """A piece of a finished file, in the database so that every host of an installation can give it out. Gone after a day."""

    source = models.ForeignKey(Export, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "number"], name="clients_exportpart_once")]

    class Privacy:
        """A list of many people, deleted whole."""

        subject = None
        erase: ClassVar[set[str]] = {"data"}
        keep: ClassVar[set[str]] = {"id", "source", "number"}

    def __str__(self) -> str:
        return f"part {self.number} of export {self.source_id}"
