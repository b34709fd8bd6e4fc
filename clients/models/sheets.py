"""The photo of a signed privacy form: the proof of what was entered. Rows only: `clients.sheets` writes and reads them."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from clients.models.ledger import Subject
from salon.core.models import User


class SignedForm(models.Model):
    """A photo or a scan of a form that a client signed, encrypted, in the database so that every host can show it."""

    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="signed_forms")
    signed_on = models.DateField()
    added_at = models.DateTimeField(default=timezone.now, editable=False)
    added_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    # "image/jpeg", drawn anew by us, or "application/pdf", as it came.
    content_type = models.CharField(max_length=20)
    data = models.BinaryField()

    class Privacy:
        """The sheet shows name, address and signature: it goes. That there was one stays beside the events."""

        subject = "subject__client"
        erase: ClassVar[set[str]] = {"data"}
        keep: ClassVar[set[str]] = {"id", "subject", "signed_on", "added_at", "added_by", "content_type"}

    def __str__(self) -> str:
        return f"signed form {self.pk}"
