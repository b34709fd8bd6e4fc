"""Many cards deleted in one act: what is still to do, what was done, and why not. Rows only: `clients.clearing` writes them."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from salon.core.models import User


class DeletionRun(models.Model):
    """A deletion of many inactive cards, done by the worker one card after the other. Ids and codes only.

    `todo` are the cards still to come, `refused` why not by id. `settled_at` is set when none is left to come.
    """

    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    # Whether they are erased as soon as they are hidden, instead of 30 days later.
    is_at_once = models.BooleanField(default=False)
    # Nobody is told: a card with a visit to come stays as it is.
    todo = models.JSONField(default=list)
    refused = models.JSONField(default=dict)
    cards_count = models.PositiveIntegerField(default=0)
    done_count = models.PositiveIntegerField(default=0)
    settled_at = models.DateTimeField(null=True)
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    try_count = models.PositiveSmallIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["id"], name="clients_deletionrun_open", condition=models.Q(settled_at=None))]

    class Privacy:
        """Ids of cards, as in the audit trail; no word about anybody."""

        subject = None
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {
            "id", "by", "created_at", "is_at_once", "todo", "refused", "cards_count", "done_count",
            "settled_at", "lease_token", "lease_until", "try_count",
        }  # fmt: skip

    def __str__(self) -> str:
        return f"deletion run {self.pk}"
