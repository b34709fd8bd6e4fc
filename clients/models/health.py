"""The one health note of a client. Rows only: `clients.health` reads and writes it."""

from collections.abc import Iterable
from typing import ClassVar

from django.db import models
from django.utils import timezone

from clients.models.ledger import Standing
from clients.models.merges import MergedHealthNote
from clients.models.person import Client
from salon.core.clashes import Clash
from salon.core.models import User
from salon.core.secrets import EncryptedField


class HealthNoteQuerySet(models.QuerySet["HealthNote"]):
    """What is done to many health notes at once."""

    def forget(self, client_ids: Iterable[int]) -> None:
        """Delete those of these clients who do not agree to them, or not any more; what a merge keeps of them too."""
        if ids := set(client_ids):
            agreed = Standing.objects.filter(purpose="health_notes", state=Standing.State.GRANTED)
            self.filter(client__in=ids).exclude(client__in=agreed.values("client")).delete()
            kept = MergedHealthNote.objects.filter(merge__winner__in=ids)
            kept.exclude(merge__winner__in=agreed.values("client")).delete()


class HealthNote(models.Model):
    """What a client said about allergies and health, encrypted. Held only while they agree to it (`health_notes`).

    On no list, in no search, export, message or log; read and written through `clients.health` alone.
    """

    client = models.OneToOneField(Client, on_delete=models.CASCADE, related_name="health_note")
    text = EncryptedField(blank=True)
    patch_tested_on = models.DateField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    written_at = models.DateTimeField(default=timezone.now, editable=False)
    written_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    objects = HealthNoteQuerySet.as_manager()

    class Privacy:
        """All of it goes."""

        subject = "client"
        erase: ClassVar[set[str]] = {"text", "patch_tested_on", "written_at", "written_by"}
        keep: ClassVar[set[str]] = {"id", "client", "version"}

    class Merging:
        """Two notes become one text: `clients.merging.handles`."""

        clashes: ClassVar[dict[str, Clash]] = {"client": Clash.BY_HAND}

    def __str__(self) -> str:
        return f"health note of client {self.client_id}"
