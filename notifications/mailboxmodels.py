"""The mailbox in which mail comes back. Rows only; part of `notifications.models`, which gives the name on."""

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from salon.core.secrets import EncryptedField


class Mailbox(models.Model):
    """Where reports about undelivered mail arrive: one row, or none yet.

    `bounces.mailbox` writes the settings, `bounces.reading` how far it was read.
    """

    class Security(models.TextChoices):
        """How the connection is protected."""

        TLS = "tls", _("TLS (port 993)")
        STARTTLS = "starttls", _("STARTTLS (port 143)")
        NONE = "none", _("None (only on this machine)")

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    host = models.CharField(_("server"), max_length=253)
    port = models.PositiveIntegerField(_("port"), default=993, validators=[MinValueValidator(1), MaxValueValidator(65535)])
    security = models.CharField(_("security"), max_length=10, choices=Security.choices, default=Security.TLS)
    user = models.CharField(_("user name"), max_length=254)
    password = EncryptedField(_("password"))
    changed_at = models.DateTimeField(default=timezone.now)
    # When it was read last, or tried to: also who reads it, since only one can set it anew.
    looked_at = models.DateTimeField(null=True)
    # How far it was read: the number of the last mail looked at, and the numbering that this number is of.
    numbering = models.BigIntegerField(default=0)
    last_number = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="notifications_mailbox_only_one")]

    class Privacy:
        """The salon's own mailbox; nothing of what is in it."""

        subject = None
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {
            "id", "host", "port", "security", "user", "password", "changed_at", "looked_at", "numbering", "last_number",
        }  # fmt: skip

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"
