"""What SMS need beside the outbox: the salon's account at the provider, what the provider reported, what clients answered.

Rows only; part of `notifications.models`, which gives these names on.
"""

from decimal import Decimal
from typing import ClassVar

from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from salon.core.models import User
from salon.core.secrets import EncryptedField


class SmsAccount(models.Model):
    """The salon's account at the SMS provider: one row, or none yet. Written by `notifications.smsaccount` alone."""

    class SenderKind(models.TextChoices):
        """Whom an SMS comes from."""

        NUMBER = "number", _("A number of our own")
        NAME = "name", _("A name, like ATELIER (clients cannot answer)")
        SERVICE = "service", _("A messaging service")

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    # The switch of the whole channel: off, nothing leaves by SMS and no message chooses it.
    is_on = models.BooleanField(_("SMS are sent"), default=True)
    # The provider took a test by this account and sender, or the owner pressed the switch: until then a test puts it on.
    is_proved = models.BooleanField(default=False)
    account_sid = models.CharField(_("account SID"), max_length=34)
    key_sid = models.CharField(_("API key SID"), max_length=34)
    key_secret = EncryptedField(_("API key secret"))
    # Signs what the provider reports; never used to sign in.
    auth_token = EncryptedField(_("auth token"), blank=True)
    sender_kind = models.CharField(_("sender"), max_length=10, choices=SenderKind.choices, default=SenderKind.NUMBER)
    sender = models.CharField(_("sender"), max_length=34)
    can_answer = models.BooleanField(_("clients can answer"), default=True)
    # Price of one part by country of the number (two letters, "*" for all others), in the salon's currency, as text.
    prices = models.JSONField(_("prices"), default=dict)
    monthly_budget = models.DecimalField(
        _("budget a month"), max_digits=8, decimal_places=2, null=True, validators=[MinValueValidator(Decimal(0))]
    )
    campaign_cap = models.DecimalField(
        _("most for one promotion"), max_digits=8, decimal_places=2, null=True, validators=[MinValueValidator(Decimal(0))]
    )
    may_tidy_names = models.BooleanField(_("plain letters in names too"), default=False)
    changed_at = models.DateTimeField(default=timezone.now)
    # Since when it is this account, if it was another before: the provider shows nobody the messages of another one.
    account_since = models.DateTimeField(null=True)

    # Whether what comes in can be told from a forgery. Noted by `smsaccount.account`, which leaves the secrets unread.
    has_auth_token = True

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="notifications_smsaccount_only_one")]

    class Privacy:
        """The salon's own account."""

        subject = None
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {
            "id", "is_on", "is_proved", "account_sid", "key_sid", "key_secret", "auth_token", "sender_kind", "sender",
            "can_answer", "prices", "monthly_budget", "campaign_cap", "may_tidy_names", "changed_at",
            "account_since",
        }  # fmt: skip

    def __str__(self) -> str:
        return self.sender

    @property
    def is_heard(self) -> bool:
        """Return whether a STOP that a client answers arrives here: without an auth token every answer is refused."""
        return self.can_answer and self.has_auth_token


class SmsTest(models.Model):
    """An SMS that somebody of the team had sent to a number as a test, outside the outbox: what it cost counts like any other.

    Written by `notifications.smstests` alone. Neither the number nor the words are kept.
    """

    at = models.DateTimeField(db_index=True)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    # Both are nothing of one that was surely not sent.
    segments = models.PositiveSmallIntegerField()
    cost = models.DecimalField(max_digits=8, decimal_places=4)

    class Privacy:
        """No client; who of the team tried."""

        subject = None
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {"id", "at", "by", "segments", "cost"}

    def __str__(self) -> str:
        return f"test SMS {self.pk}"


class ProviderEvent(models.Model):
    """One thing that a provider reported, once: each report comes at least once, in any order. Never changed."""

    provider = models.CharField(max_length=20)
    # The provider's own id of the message, and what it said of it.
    provider_id = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=20)
    code = models.CharField(max_length=20, blank=True)
    message = models.ForeignKey("notifications.Message", null=True, on_delete=models.SET_NULL, related_name="events")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "provider_id", "status"],
                name="notifications_providerevent_once",
                condition=~models.Q(provider_id=""),
            )
        ]

    class Privacy:
        """That something was reported stays; the id by which the provider knows it goes."""

        subject = "message__client"
        erase: ClassVar[set[str]] = {"provider_id"}
        keep: ClassVar[set[str]] = {"id", "provider", "status", "code", "message", "at"}

    def __str__(self) -> str:
        return f"{self.provider} {self.status}"


class Reply(models.Model):
    """An SMS that somebody sent to the salon: one row for each card with that number, or one without a card."""

    class Meaning(models.TextChoices):
        """What it says, as the house understands it (`notifications.stopwords`)."""

        STOP = "stop", _("STOP")
        START = "start", _("START")
        DOUBT = "doubt", _("Perhaps a stop")
        OTHER = "other", _("Text")

    provider = models.CharField(max_length=20)
    provider_id = models.CharField(max_length=200, blank=True)
    client = models.ForeignKey(Client, null=True, on_delete=models.SET_NULL, related_name="replies")
    sender = models.CharField(max_length=20, blank=True)
    address_hmac = models.CharField(max_length=64, blank=True)
    body = models.TextField(blank=True)
    meaning = models.CharField(max_length=10, choices=Meaning.choices)
    at = models.DateTimeField()
    # A text waits until somebody has read it; one that may be a stop holds back advertising by SMS until then.
    handled_at = models.DateTimeField(null=True)
    handled_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        indexes = [
            models.Index(fields=["client", "-at"], name="notifications_reply_card"),
            models.Index(
                fields=["address_hmac"], name="notifications_reply_open", condition=models.Q(handled_at=None, meaning="doubt")
            ),
        ]

    class Privacy:
        """That an answer came stays; who wrote it and what goes."""

        subject = "client"
        erase: ClassVar[set[str]] = {"client", "sender", "address_hmac", "body", "provider_id"}
        keep: ClassVar[set[str]] = {"id", "provider", "meaning", "at", "handled_at", "handled_by"}

    def __str__(self) -> str:
        return f"reply {self.pk}: {self.meaning}"
