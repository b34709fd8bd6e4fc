"""What the owner decided about consent for the whole salon: rows only."""

from typing import ClassVar

from django.db import models

from clients.models.person import Channel
from salon.core.models import User


class ExistingRule(models.Model):
    """That offers may go to existing clients who were told and did not refuse: by country and channel. No row, no leave.

    Written by `clients.existing` alone. A salon that moves to another country decides anew.
    """

    country = models.CharField(max_length=2)
    channel = models.CharField(max_length=10, choices=Channel.choices)
    switched_on_at = models.DateTimeField()
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["country", "channel"], name="clients_existingrule_once")]

    class Privacy:
        """No client; who of the team decided."""

        subject = None
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {"id", "country", "channel", "switched_on_at", "by"}

    def __str__(self) -> str:
        return f"{self.country} {self.channel}"
