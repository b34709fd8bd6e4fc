"""Two cards that may be one person, what was said about them, and how far the last search came. Rows only."""

from typing import ClassVar

from django.db import models
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from clients.models.person import Client
from salon.core.clashes import Clash
from salon.core.models import User


class DuplicatePair(models.Model):
    """Two cards, the lower id first, with the score and its reasons as codes. Rows of cards that went go at the next search.

    An answer is remembered with the reasons that stood when it was given: see `clients.duplicates.pairs`.
    """

    class Band(models.TextChoices):
        """How much the two look like one person."""

        SURE = "sure", pgettext_lazy("band", "Sure")
        LIKELY = "likely", pgettext_lazy("band", "Likely")
        POSSIBLE = "possible", pgettext_lazy("band", "Possible")

    class State(models.TextChoices):
        """What somebody said."""

        OPEN = "open", pgettext_lazy("pair", "Open")
        NOT_SAME = "not_same", _("Not the same person")
        HOUSEHOLD = "household", _("One household")

    low = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="+")
    high = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="+")
    score = models.PositiveSmallIntegerField()
    band = models.CharField(max_length=10, choices=Band.choices)
    reasons = models.JSONField(default=list)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    found_at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["low", "high"], name="clients_duplicatepair_once"),
            models.CheckConstraint(condition=models.Q(low__lt=F("high")), name="clients_duplicatepair_low_first"),
        ]
        indexes = [models.Index(fields=["state", "-score", "id"], name="clients_duplicatepair_list")]

    class Privacy:
        """What two cards have in common; it goes with either of them."""

        subject = "low"
        erase: ClassVar[set[str]] = {"high", "score", "band", "reasons", "state", "found_at", "decided_at"}
        keep: ClassVar[set[str]] = {"id", "low", "by"}

    class Merging:
        """What was said of the cards that go is said of the one that stays: `clients.merging.handles`."""

        clashes: ClassVar[dict[str, Clash]] = {"low": Clash.BY_HAND, "high": Clash.BY_HAND}

    def __str__(self) -> str:
        return f"cards {self.low_id} and {self.high_id}"


class DuplicateSearch(models.Model):
    """The search for duplicates: one row. When it last went through all cards, and how far it has read the audit trail.

    `skipped` says how many cards were not compared with each other by kind of key, since too many had the same one.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    wanted_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    cards_count = models.PositiveIntegerField(default=0)
    skipped = models.JSONField(default=dict)
    # The last line of the audit trail whose card was looked at.
    event = models.PositiveBigIntegerField(default=0)
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    try_count = models.PositiveSmallIntegerField(default=0)

    class Privacy:
        """Counts and moments, no client."""

        subject = None
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {
            "id", "wanted_at", "finished_at", "cards_count", "skipped", "event", "lease_token", "lease_until", "try_count",
        }  # fmt: skip

    def __str__(self) -> str:
        return "search for duplicates"
