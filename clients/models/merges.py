"""Cards that were made one: what an undo needs for 30 days. Rows only: `clients.merging` writes and reads them."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from clients.models.person import Client
from salon.core.models import User
from salon.core.secrets import EncryptedField


class Merge(models.Model):
    """One merge: into which card, of which others, by whom. The snapshot is sealed, and deleted after 30 days or an undo.

    Another merge or an erasure of the card that is left finds it by `winner`.
    """

    winner = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="merges")
    # The ids of the cards that were taken in. They are empty meanwhile.
    taken_in = models.JSONField(default=list)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(default=timezone.now, db_index=True)
    undone_at = models.DateTimeField(null=True)
    # See `clients.merging.snapshots`: which rows came from where, and what stood on the cards.
    snapshot = models.BinaryField(default=bytes)

    class Privacy:
        """The cards as they were before."""

        subject = "winner"
        erase: ClassVar[set[str]] = {"snapshot"}
        keep: ClassVar[set[str]] = {"id", "winner", "taken_in", "by", "at", "undone_at"}

    def __str__(self) -> str:
        return f"merge {self.pk} into client {self.winner_id}"


class MergedHealthNote(models.Model):
    """The health note of a card before a merge. Apart from the snapshot, so that a client who takes the Yes back ends it."""

    merge = models.ForeignKey(Merge, on_delete=models.CASCADE, related_name="health_notes")
    # The id of the card that had it: a card that was taken in is pointed at by nothing.
    card = models.PositiveBigIntegerField()
    text = EncryptedField(blank=True)
    patch_tested_on = models.DateField(null=True)
    version = models.PositiveIntegerField(default=1)
    written_at = models.DateTimeField()
    written_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["merge", "card"], name="clients_mergedhealthnote_once")]

    class Privacy:
        """All of it goes."""

        subject = "merge__winner"
        fate = "deleted"
        erase: ClassVar[set[str]] = {"text", "patch_tested_on", "written_at", "written_by"}
        keep: ClassVar[set[str]] = {"id", "merge", "card", "version"}

    def __str__(self) -> str:
        return f"health note before merge {self.merge_id}"
