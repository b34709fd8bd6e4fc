"""What the salon says: the outbox, its attempts, campaigns, the switches and the mail server.

Message is written by `outbox`, `outcomes` and `proofs` alone, Campaign by `campaigns`.
"""

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from appointments.models import Appointment
from clients.models import Channel, Client, ConsentEvent
from notifications import plans  # noqa: F401 (the rest of the models: Django finds them through here)
from notifications.mailboxmodels import Mailbox
from notifications.smsmodels import ProviderEvent, Reply, SmsAccount, SmsTest
from notifications.systems.models import Change, Delivery, OtherSystem, Received
from salon.core.clashes import Clash
from salon.core.models import User
from salon.core.secrets import EncryptedField

# Some tables stand in rooms of their own; Django looks for them here.
__all__ = [
    "MARKETING", "TOLD", "Attempt", "Campaign", "CampaignRecipient", "Change", "Delivery", "Heartbeat", "MailServer",
    "Mailbox", "Message", "OtherSystem", "Provider", "ProviderEvent", "Received", "Reply", "SmsAccount", "SmsTest", "State",
    "Trigger",
]  # fmt: skip


class State(models.TextChoices):
    """Where a message stands. The steps between them: `notifications.outbox`."""

    PENDING = "pending", _("Waiting")
    CLAIMED = "claimed", _("Being prepared")
    HANDOFF = "handoff", _("Being sent")
    ACCEPTED = "accepted", _("Sent")
    DELIVERED = "delivered", _("Delivered")
    BOUNCED = "bounced", _("Bounced")
    FAILED = "failed", _("Failed")
    UNKNOWN = "unknown", _("Fate unknown")
    CLOSED_UNKNOWN = "closed_unknown", _("Fate unknown, closed")
    CANCELLED = "cancelled", _("Cancelled")
    SUPPRESSED = "suppressed", _("Not sent")
    EXPIRED = "expired", _("Too late")
    QUARANTINED = "quarantined", _("Set aside")
    HELD = "held", _("Held for review")


# The provider has it, or may have it: the client counts as told.
TOLD = (State.HANDOFF, State.UNKNOWN, State.CLOSED_UNKNOWN, State.ACCEPTED, State.DELIVERED, State.BOUNCED)
# What no person sends once more by hand: the salon's switches count. One that is said instead names what it turned from.
BY_ITSELF = models.Q(resend_of=None) | ~models.Q(turned_from="")
# Every kind of advertising there is to be: what the caps count together.
MARKETING = ("birthday", "promotion", "rebook", "review", "welcome")


class Campaign(models.Model):
    """One advertising message that somebody sends to one client or to several. Written by `notifications.campaigns` alone.

    Who gets it stands in CampaignRecipient; how far it came is counted from its messages.
    """

    class State(models.TextChoices):
        """Where a campaign stands. The steps between them: `notifications.campaigns`."""

        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Being sent")
        DONE = "done", _("Done")
        STOPPED = "stopped", _("Stopped")

    kind = models.CharField(max_length=20)
    channel = models.CharField(max_length=10, choices=Channel.choices)
    title = models.CharField(_("subject"), max_length=150)
    text = models.TextField(_("text"), max_length=4000)
    valid_until = models.DateField(_("valid until"), null=True)
    conditions = models.CharField(_("conditions"), max_length=300, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    # One press of the button: a form that arrives twice makes one campaign.
    key = models.CharField(max_length=40, unique=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    not_before = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    # Ids of the chosen who were not asked about yet: the planner writes them down as recipients, some at a time.
    todo = models.JSONField(default=list, blank=True)
    # How many were to get it when it was sent.
    meant_count = models.PositiveIntegerField(default=0)
    # Found by what they did: then each needs a Yes to profiling, at the hand-over too.
    is_by_habit = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["waiting", "running", "done", "stopped"]), name="notifications_campaign_known_state"
            )
        ]
        indexes = [
            models.Index(
                fields=["not_before"], name="notifications_campaign_open", condition=models.Q(state__in=["waiting", "running"])
            )
        ]

    class Privacy:
        """The salon's own words to many; a name typed into them is not looked for."""

        subject = None
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {
            "id", "kind", "channel", "title", "text", "valid_until", "conditions", "state", "key", "created_by", "created_at",
            "not_before", "expires_at", "ended_at", "todo", "meant_count", "is_by_habit",
        }  # fmt: skip

    def __str__(self) -> str:
        return f"campaign {self.pk}: {self.state}"


class CampaignRecipient(models.Model):
    """Somebody chosen for a campaign: an address that gets it, or why not. One address gets it once, whoever has it."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="recipients")
    client = models.ForeignKey(Client, null=True, on_delete=models.SET_NULL, related_name="+")
    # Of the address it goes to; empty for somebody left out.
    address_hmac = models.CharField(max_length=64, blank=True)
    # Why somebody was left out when it was sent, as a code, and the line of the ledger behind it.
    reason = models.CharField(max_length=40, blank=True)
    event = models.ForeignKey(ConsentEvent, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "client"], name="notifications_campaignrecipient_once"),
            models.UniqueConstraint(
                fields=["campaign", "address_hmac"],
                name="notifications_campaignrecipient_address_once",
                condition=~models.Q(address_hmac=""),
            ),
        ]

    class Privacy:
        """That a campaign had so many recipients stays; who they were goes."""

        subject = "client"
        erase: ClassVar[set[str]] = {"client", "address_hmac", "event"}
        keep: ClassVar[set[str]] = {"id", "campaign", "reason"}

    class Merging:
        """One person is chosen once: `notifications.joining`."""

        clashes: ClassVar[dict[str, Clash]] = {"client": Clash.BY_HAND}

    def __str__(self) -> str:
        return f"recipient of campaign {self.campaign_id}"


class Message(models.Model):
    """One thing said to one client: the outbox, which is also the queue and the history.

    Unique by (kind, client, occasion): the occasion names the thing said and holds neither client nor channel, so
    that a merge can repoint the client and a changed channel cannot say a thing twice.
    """

    kind = models.CharField(max_length=20)
    channel = models.CharField(max_length=10, choices=Channel.choices)
    # No index of their own: those below begin with them, and each more is written at every step of a message.
    client = models.ForeignKey(Client, null=True, on_delete=models.SET_NULL, related_name="messages", db_index=False)
    appointment = models.ForeignKey(Appointment, null=True, on_delete=models.SET_NULL, related_name="messages", db_index=False)
    # The campaign whose words it carries, for a message that somebody sends by hand.
    campaign = models.ForeignKey(Campaign, null=True, on_delete=models.PROTECT, related_name="messages")
    occasion = models.CharField(max_length=80)
    # The version and the start of the visit that this message speaks of.
    time_version = models.PositiveIntegerField(null=True)
    told_start_at = models.DateTimeField(null=True)

    state = models.CharField(max_length=15, choices=State.choices, default=State.PENDING)
    reason = models.CharField(max_length=40, blank=True)
    not_before = models.DateTimeField()
    expires_at = models.DateTimeField()

    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    claim_count = models.PositiveSmallIntegerField(default=0)
    attempt_count = models.PositiveSmallIntegerField(default=0)
    handoff_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)

    # Filled at the hand-over: whom and what exactly.
    address_hmac = models.CharField(max_length=64, blank=True)
    recipient = models.CharField(max_length=254, blank=True)
    language = models.CharField(max_length=5, blank=True)
    title = models.CharField(max_length=250, blank=True)
    body = models.TextField(blank=True)
    provider = models.CharField(max_length=20, blank=True)
    provider_id = models.CharField(max_length=200, blank=True)
    # Of an SMS: its parts, and what they cost in the salon's currency.
    segments = models.PositiveSmallIntegerField(default=0)
    cost = models.DecimalField(max_digits=8, decimal_places=4, default=0)
    # The channel on which it was to go first: a message about a visit turns to the other one, once.
    turned_from = models.CharField(max_length=10, blank=True)

    resend_of = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="resends")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "client", "occasion"], name="notifications_message_said_once"),
            models.CheckConstraint(condition=models.Q(state__in=State.values), name="notifications_message_known_state"),
            # The last word on "one address, one campaign, one message"; the gate says it first, with a reason.
            models.UniqueConstraint(
                fields=["campaign", "address_hmac"],
                name="notifications_message_address_once",
                condition=models.Q(campaign__isnull=False, resend_of=None, state__in=TOLD) & ~models.Q(address_hmac=""),
            ),
        ]
        indexes = [
            models.Index(fields=["not_before", "id"], name="notifications_message_due", condition=models.Q(state="pending")),
            models.Index(
                fields=["lease_until"],
                name="notifications_message_lease",
                condition=models.Q(state__in=["claimed", "handoff"]),
            ),
            models.Index(fields=["client", "-created_at"], name="notifications_message_card"),
            models.Index(fields=["appointment", "kind"], name="notifications_message_visit"),
            models.Index(fields=["state", "-created_at"], name="notifications_message_page"),
            # How much advertising an address had lately: read at the hand-over of every such message.
            models.Index(
                fields=["address_hmac", "handoff_at"],
                name="notifications_message_caps",
                condition=models.Q(kind__in=MARKETING) & ~models.Q(address_hmac=""),
            ),
            # What SMS cost lately: added up at the hand-over of each.
            models.Index(
                fields=["handoff_at"],
                name="notifications_message_sms",
                condition=models.Q(channel="sms", handoff_at__isnull=False),
            ),
        ]

    class Privacy:
        """That something was said stays as a count; to whom and which words goes."""

        subject = "client"
        erase: ClassVar[set[str]] = {
            "client", "recipient", "title", "body", "address_hmac", "provider_id", "language", "appointment", "told_start_at",
        }  # fmt: skip
        keep: ClassVar[set[str]] = {
            "id", "kind", "channel", "campaign", "occasion", "time_version", "state", "reason", "not_before", "expires_at",
            "lease_token", "lease_until", "claim_count", "attempt_count", "handoff_at", "settled_at", "provider",
            "segments", "cost", "turned_from", "resend_of", "created_at",
        }  # fmt: skip

    class Merging:
        """What was to be said to both is said once: `notifications.joining`."""

        clashes: ClassVar[dict[str, Clash]] = {"client": Clash.BY_HAND}
        stays = ngettext_lazy("%(count)s new message stays with %(name)s", "%(count)s new messages stay with %(name)s", "count")

    def __str__(self) -> str:
        return f"{self.kind} {self.channel} {self.state}"


class Attempt(models.Model):
    """One hand-over of a message: the decision it stood on, and how far it came. Never deleted by hand."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="attempts", db_index=False)
    lease_token = models.UUIDField()
    at = models.DateTimeField()
    # What the gate relied on: ledger ids, wording and profile versions, standing, salon switches. No address, no name.
    decision = models.JSONField(default=dict)
    phase = models.CharField(max_length=12, blank=True)
    outcome = models.CharField(max_length=12, blank=True)
    code = models.CharField(max_length=20, blank=True)
    duration_ms = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "lease_token"], name="notifications_attempt_once_a_lease")]

    class Privacy:
        """Ids and codes only."""

        subject = "message__client"
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {
            "id", "message", "lease_token", "at", "decision", "phase", "outcome", "code", "duration_ms",
        }  # fmt: skip

    def __str__(self) -> str:
        return f"attempt of message {self.message_id}: {self.outcome or 'open'}"


class Trigger(models.Model):
    """The salon's switch for one kind: whether it goes by itself, how and when. The client's answer is the other switch.

    What is empty is as `kinds` says. When reminders leave stands in ReminderTime.
    """

    class Ways(models.TextChoices):
        """By which channels a kind goes: one of them, or the second where the first cannot be used or the client likes it."""

        EMAIL = "email", _("E-mail")
        SMS = "sms", _("SMS")
        EMAIL_SMS = "email sms", _("E-mail, else SMS")
        SMS_EMAIL = "sms email", _("SMS, else e-mail")

    kind = models.CharField(max_length=20, primary_key=True)
    is_on = models.BooleanField(_("on"), default=False)
    ways = models.CharField(_("by"), max_length=10, choices=Ways.choices, default=Ways.EMAIL_SMS)
    # So many days or weeks after its cause, at this wall time of the salon.
    delay = models.PositiveSmallIntegerField(_("how long after"), null=True, validators=[MaxValueValidator(104)])
    at = models.TimeField(_("at"), null=True)
    # For a kind that may be said once more: so many weeks after the first, empty for never. And whether the client's own
    # rhythm counts, where they said Yes to profiling.
    again = models.PositiveSmallIntegerField(_("once more after"), null=True, validators=[MaxValueValidator(52)])
    is_by_rhythm = models.BooleanField(_("by the client's own rhythm"), default=False)
    # Where the message leads, for a kind that leads to a page of the salon's choice.
    target = models.URLField(_("address of the page"), max_length=300, blank=True)
    switched_on_at = models.DateTimeField(null=True)

    class Privacy:
        """No person."""

        subject = None
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {
            "kind", "is_on", "ways", "delay", "at", "again", "is_by_rhythm", "target", "switched_on_at",
        }  # fmt: skip

    def __str__(self) -> str:
        return self.kind


class MailServer(models.Model):
    """The salon's own SMTP server: one row, or none yet."""

    class Security(models.TextChoices):
        """How the connection is protected."""

        STARTTLS = "starttls", _("STARTTLS (port 587)")
        TLS = "tls", _("TLS (port 465)")
        NONE = "none", _("None (only on this machine)")

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    host = models.CharField(_("server"), max_length=253)
    port = models.PositiveIntegerField(_("port"), default=587, validators=[MinValueValidator(1), MaxValueValidator(65535)])
    security = models.CharField(_("security"), max_length=10, choices=Security.choices, default=Security.STARTTLS)
    user = models.CharField(_("user name"), max_length=254, blank=True)
    password = EncryptedField(_("password"), blank=True)
    sender = models.EmailField(_("sender address"), max_length=254)
    reply_to = models.EmailField(_("answers go to"), max_length=254, blank=True)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="notifications_mailserver_only_one")]

    class Privacy:
        """The salon's own server."""

        subject = None
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {
            "id", "host", "port", "security", "user", "password", "sender", "reply_to", "changed_at",
        }  # fmt: skip

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Provider(models.Model):
    """How a provider fares: its circuit breaker. One row a provider, by name."""

    name = models.CharField(max_length=20, primary_key=True)
    failure_count = models.PositiveIntegerField(default=0)
    open_until = models.DateTimeField(null=True)
    reason = models.CharField(max_length=40, blank=True)

    class Privacy:
        """No person."""

        subject = None
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {"name", "failure_count", "open_until", "reason"}

    def __str__(self) -> str:
        return self.name


class Heartbeat(models.Model):
    """When planner and sender last ran through. What the health page reads."""

    name = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField()

    class Privacy:
        """No person."""

        subject = None
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {"name", "at"}

    def __str__(self) -> str:
        return f"{self.name} {self.at:%H:%M:%S}"
