"""The photo of a signed privacy form: the proof of what was entered. Rows only: `clients.sheets` writes and reads them."""

from collections.abc import Collection
from typing import ClassVar

from django.db import models
from django.utils import timezone

from clients.models.ledger import ConsentEvidence, Subject
from salon.core.models import User


class SignedFormQuerySet(models.QuerySet["SignedForm"]):
    """What is done to the sheets behind many answers at once."""

    def forget(self, event_ids: Collection[int]) -> None:
        """Delete those that prove nothing but these events, which were a slip: it may be the sheet of somebody else."""
        others = ConsentEvidence.objects.exclude(event__in=event_ids).filter(signed_form__isnull=False)
        found = self.filter(evidence__event__in=event_ids).exclude(pk__in=others.values("signed_form"))
        self.filter(pk__in=list(found.values_list("pk", flat=True))).delete()


class SignedForm(models.Model):
    """A photo or a scan of a form that a client signed, encrypted, in the database so that every host can show it."""

    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="signed_forms")
    signed_on = models.DateField()
    added_at = models.DateTimeField(default=timezone.now, editable=False)
    added_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    # "image/jpeg", drawn anew by us, or "application/pdf", as it came.
    content_type = models.CharField(max_length=20)
    data = models.BinaryField()

    objects = SignedFormQuerySet.as_manager()

    class Privacy:
        """The sheet shows name, address and signature: it goes. That there was one stays beside the events."""

        subject = "subject__client"
        erase: ClassVar[set[str]] = {"data"}
        keep: ClassVar[set[str]] = {"id", "subject", "signed_on", "added_at", "added_by", "content_type"}

    def __str__(self) -> str:
        return f"signed form {self.pk}"
