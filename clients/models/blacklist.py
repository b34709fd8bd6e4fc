"""Why somebody may not book online, for whom at the desk it concerns. Rows only; `clients.blacklist` writes them."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from clients.models.person import Client
from salon.core.models import User


class Blacklisting(models.Model):
    """One time on the blacklist. In force until it is lifted or its last day is over; `Client.blacklisted_at` follows it.

    No constraint says that a card has one in force: two cards on the blacklist may be merged, and then both stay true.
    """

    class Reason(models.TextChoices):
        """Why."""

        NO_SHOW = "no_show", _("Did not turn up")
        UNPAID = "unpaid", _("Did not pay")
        BEHAVIOUR = "behaviour", _("Behaviour")
        OTHER = "other", pgettext_lazy("reason", "Other")

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="blacklistings")
    reason = models.CharField(_("reason"), max_length=20, choices=Reason.choices)
    # The salon's own words, never shown to the client but in the copy of their data.
    words = models.CharField(_("in your words"), max_length=300, blank=True)
    # The last day on which it holds. None: until somebody lifts it.
    until = models.DateField(_("until"), null=True, blank=True)
    # When somebody should ask again whether it is still right.
    review_on = models.DateField(_("look again on"), null=True, blank=True)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    review_told_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(lifted_at=None) | Q(lifted_at__gte=F("at")), name="clients_blacklisting_lifted_after",
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["client"], condition=Q(lifted_at=None), name="clients_blacklisting_in_force"),
        ]

    class Privacy:
        """A judgement about somebody: it goes with them."""

        subject = "client"
        erase: ClassVar[set[str]] = {"reason", "words", "until", "review_on", "at", "lifted_at", "review_told_at"}
        keep: ClassVar[set[str]] = {"id", "client", "by", "lifted_by"}

    def __str__(self) -> str:
        return f"blacklisting of {self.client_id}"
