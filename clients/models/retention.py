"""How long things are kept: the rules, the cards whose time will be over, and those kept on purpose. Rows only."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from clients.models.person import Client
from salon.core.clashes import Clash
from salon.core.models import User


class RetentionRule(models.Model):
    """How long one thing is kept, where the owner said something else than the default, and whether it is deleted by itself."""

    code = models.CharField(max_length=20, primary_key=True)
    months = models.PositiveSmallIntegerField()
    is_on = models.BooleanField(default=False)
    changed_at = models.DateTimeField(default=timezone.now)
    changed_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    # The salon's day on which it last ran.
    ran_on = models.DateField(null=True)

    class Privacy:
        """No person."""

        subject = None
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {"code", "months", "is_on", "changed_at", "changed_by", "ran_on"}

    def __str__(self) -> str:
        return f"{self.code}: {self.months} months"


class RetentionWarning(models.Model):
    """A card whose time will be over: the owner was told, and it is erased on that day unless the client comes back."""

    client = models.OneToOneField(Client, on_delete=models.CASCADE, related_name="+")
    code = models.CharField(max_length=20)
    warned_on = models.DateField()
    erase_on = models.DateField(db_index=True)

    class Privacy:
        """Goes with the card."""

        subject = "client"
        erase: ClassVar[set[str]] = {"code", "warned_on", "erase_on"}
        keep: ClassVar[set[str]] = {"id", "client"}

    class Merging:
        """The joined card is looked at anew."""

        clashes: ClassVar[dict[str, Clash]] = {"client": Clash.REBUILT}

    def __str__(self) -> str:
        return f"client {self.client_id} until {self.erase_on}"


class RetentionHold(models.Model):
    """A card that the rules leave alone until a day, and why: somebody wanted it kept."""

    client = models.OneToOneField(Client, on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(max_length=200)
    until = models.DateField(db_index=True)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Privacy:
        """Goes with the card."""

        subject = "client"
        erase: ClassVar[set[str]] = {"reason", "until"}
        keep: ClassVar[set[str]] = {"id", "client", "by", "at"}

    class Merging:
        """Who wanted one of the cards kept wants the joined one kept."""

        clashes: ClassVar[dict[str, Clash]] = {"client": Clash.MAIN}

    def __str__(self) -> str:
        return f"card {self.client_id} kept until {self.until}"
