"""What the salon writes down for the authority: its record of processing, and its log of breaches. Rows only."""

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from salon.core.models import User


class Processing(models.Model):
    """One entry of the record of processing (Art. 30) as the salon has changed it; without a row the house's words stand."""

    code = models.CharField(max_length=20, primary_key=True)
    purpose = models.TextField(_("what for"), max_length=2000)
    basis = models.TextField(_("legal basis"), max_length=2000)
    people = models.TextField(_("whose data, and which"), max_length=2000)
    recipients = models.TextField(_("who receives them"), max_length=2000)
    transfers = models.TextField(_("outside the EEA and the United Kingdom"), max_length=2000, blank=True)
    deadline = models.TextField(_("how long"), max_length=2000)
    measures = models.TextField(_("how they are protected"), max_length=2000, blank=True)
    changed_at = models.DateTimeField(default=timezone.now)
    changed_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    class Privacy:
        """The salon's words about kinds of data, no client."""

        subject = None
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {
            "code", "purpose", "basis", "people", "recipients", "transfers", "deadline", "measures", "changed_at", "changed_by",
        }  # fmt: skip

    def __str__(self) -> str:
        return self.code


class Breach(models.Model):
    """Personal data went where it should not have, or was lost: what the salon knows and did (Art. 33 and 34)."""

    discovered_at = models.DateTimeField()
    happened_at = models.DateTimeField(null=True)
    what = models.TextField(_("what happened"), max_length=4000)
    data = models.TextField(_("which data"), max_length=2000)
    people_count = models.PositiveIntegerField(_("about how many people"), null=True)
    has_health = models.BooleanField(_("health data among it"), default=False)
    effects = models.TextField(_("what it may lead to for them"), max_length=2000, blank=True)
    measures = models.TextField(_("what was done"), max_length=2000, blank=True)
    authority_at = models.DateTimeField(null=True)
    authority_why_not = models.TextField(_("why the authority is not told"), max_length=1000, blank=True)
    persons_at = models.DateTimeField(null=True)
    persons_why_not = models.TextField(_("why the people are not told"), max_length=1000, blank=True)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["-discovered_at"], name="clients_breach_last")]

    class Privacy:
        """Written by the owner about an event; the page asks not to name anybody in it."""

        subject = None
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {
            "id", "discovered_at", "happened_at", "what", "data", "people_count", "has_health", "effects", "measures",
            "authority_at", "authority_why_not", "persons_at", "persons_why_not", "by", "created_at", "changed_at",
        }  # fmt: skip

    def __str__(self) -> str:
        return f"breach {self.pk}"
