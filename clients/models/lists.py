"""What is kept of work with the list of clients: filters under a name, and what was done with many cards. Rows only."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from clients.models.person import Tag
from salon.core.models import User


class SavedFilter(models.Model):
    """Filters of the list under a name, for the whole salon. What was searched for by name is never among them."""

    name = models.CharField(max_length=60, unique=True)
    # As in the address of the list: filters, status, order.
    query = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["name"]

    class Privacy:
        """Words of the salon and codes, no client."""

        subject = None
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {"id", "name", "query", "by", "created_at"}

    def __str__(self) -> str:
        return self.name


class TagRun(models.Model):
    """One tag put on many cards, or taken off them, in one act: what its Undo and the page about it need. Ids and codes only.

    `changed` are the cards that it changed, `refused` why not by id. Deleted after some days.
    """

    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="+")
    is_added = models.BooleanField()
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    undone_at = models.DateTimeField(null=True)
    changed = models.JSONField(default=list)
    refused = models.JSONField(default=dict)

    class Privacy:
        """Ids of cards, as in the audit trail; no word about anybody."""

        subject = None
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {"id", "tag", "is_added", "by", "created_at", "undone_at", "changed", "refused"}

    def __str__(self) -> str:
        return f"tag run {self.pk}"


class CardRun(models.Model):
    """One act on one or many cards (inactive, blacklist …): what its Undo and the page about it need. Ids, days and codes only.

    `changed` holds by id what Undo has to know, `refused` why not by id, `waiting` the cards that follow as soon as the
    client has been told something. Deleted after a day.
    """

    act = models.CharField(max_length=20)
    reason = models.CharField(max_length=20, blank=True)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    undone_at = models.DateTimeField(null=True)
    changed = models.JSONField(default=dict)
    refused = models.JSONField(default=dict)
    waiting = models.JSONField(default=list)

    class Privacy:
        """Ids of cards, as in the audit trail; no word about anybody."""

        subject = None
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {
            "id", "act", "reason", "by", "created_at", "undone_at", "changed", "refused", "waiting",
        }  # fmt: skip

    def __str__(self) -> str:
        return f"card run {self.pk}"
