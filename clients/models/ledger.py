"""What people agreed to: the ledger, what it comes to, and the addresses that are stopped. Rows only: `consent` writes them."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clients.models.person import Channel, Client
from salon.core.clashes import Clash
from salon.core.errors import Refused
from salon.core.models import User


class SubjectQuerySet(models.QuerySet["Subject"]):
    """Questions about subjects."""

    own_last = (models.F("joined_at").desc(nulls_last=True), "-pk")

    def own_of(self, client_ids: Iterable[int]) -> dict[int | None, int]:
        """Return the subject of each of these cards for which new lines are written, by client id: the card's own."""
        return dict(self.filter(client__in=client_ids).order_by(*self.own_last).values_list("client_id", "pk"))


class Subject(models.Model):
    """Whom the ledger is about. Made with the card; a merge repoints it, erasure empties it, the ledger stays."""

    client = models.ForeignKey(Client, null=True, on_delete=models.SET_NULL, related_name="subjects")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # When a merge brought it to this card; empty for the card's own, for which new lines are written.
    joined_at = models.DateTimeField(null=True, editable=False)

    objects = SubjectQuerySet.as_manager()

    class Privacy:
        """The link to the person, cut when they are forgotten."""

        subject = "client"
        erase: ClassVar[set[str]] = {"client"}
        keep: ClassVar[set[str]] = {"id", "created_at", "joined_at"}

    def __str__(self) -> str:
        return f"subject {self.pk}"


class ConsentText(models.Model):
    """The words a client agreed to. Immutable once the ledger points at them."""

    purpose = models.CharField(max_length=30)
    channel = models.CharField(max_length=10, blank=True)
    language = models.CharField(max_length=5, choices=settings.LANGUAGES)
    version = models.CharField(max_length=20)
    body = models.TextField()
    sha256 = models.CharField(max_length=64)
    published_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["purpose", "channel", "language", "version"], name="clients_consenttext_one_a_version"
            )
        ]

    class Privacy:
        """Our own words, no person."""

        subject = None
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {
            "id", "purpose", "channel", "language", "version", "body", "sha256", "published_at",
        }  # fmt: skip

    def __str__(self) -> str:
        return f"{self.purpose} {self.channel} {self.language} {self.version}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write the row, unless somebody agreed to it already (a trigger in the database says the same)."""
        if not self._state.adding:
            self._check_free()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete the row, unless somebody agreed to it already."""
        self._check_free()
        return super().delete(*args, **kwargs)

    def _check_free(self) -> None:
        if ConsentEvent.objects.filter(text=self.pk).exists():
            raise Refused(str(_("Somebody agreed to these words: they stay as they are. Publish a new version.")))


class ConsentEvent(models.Model):
    """One line of the ledger: what somebody said, when, how and to whom. Never changed, never deleted by hand.

    Written by `consent.record` alone. The columns and their meaning: docs/consent.md.
    """

    class Event(models.TextChoices):
        """What was said or done."""

        GRANT = "grant"
        CONFIRM = "confirm"
        PENDING = "pending"
        DENY = "deny"
        WITHDRAW = "withdraw"
        OBJECT = "object"
        RESTRICT_LIFT = "restrict_lift"
        EXPIRE = "expire"
        SOFT_OPT_IN = "soft_opt_in"
        ADDRESS_CHANGED = "address_changed"
        IMPORT_CLAIM = "import_claim"
        MERGE_HOLD = "merge_hold"
        PROVIDER_STOP = "provider_stop"
        PROVIDER_START = "provider_start"
        COMPLAINT = "complaint"
        VOID = "void"

    class Source(models.TextChoices):
        """How it reached us."""

        IN_PERSON = "in_person", _("In the salon")
        PHONE = "phone", _("By phone")
        PAPER_FORM = "paper_form", _("Paper form")
        OTHER = "other", _("Other")
        IMPORT = "import", _("Import")
        OWN_FORM = "own_form", _("Privacy form on their phone")
        PREFERENCE_PAGE = "preference_page", _("Preference page")
        ONE_CLICK_POST = "one_click_post", _("Unsubscribe link")
        WIDGET = "widget", _("Online booking")
        PORTAL = "portal", _("Client portal")
        SMS_REPLY = "sms_reply", _("SMS reply")
        API = "api", _("Another system")
        PROVIDER_WEBHOOK = "provider_webhook", _("Message provider")
        MERGE = "merge", _("Merge")
        RETENTION_JOB = "retention_job", _("Retention")

    class Actor(models.TextChoices):
        """Who did it."""

        CLIENT = "client"
        STAFF = "staff"
        SYSTEM = "system"
        PROVIDER = "provider"

    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="events")
    purpose = models.CharField(max_length=30)
    channel = models.CharField(max_length=10, blank=True)
    event = models.CharField(max_length=20, choices=Event.choices)
    address_hmac = models.CharField(max_length=64, blank=True)
    effective_at = models.DateTimeField()
    recorded_at = models.DateTimeField(default=timezone.now, db_index=True)
    source = models.CharField(max_length=20, choices=Source.choices)
    actor_type = models.CharField(max_length=10, choices=Actor.choices)
    actor = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    evidence_level = models.PositiveSmallIntegerField(default=0)
    text = models.ForeignKey(ConsentText, null=True, on_delete=models.PROTECT, related_name="+")
    voids = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="voided_by")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(effective_at__lte=models.F("recorded_at")), name="clients_consentevent_not_in_the_future"
            ),
            models.CheckConstraint(
                condition=~models.Q(event__in=["grant", "confirm", "pending", "soft_opt_in", "import_claim"])
                | (~models.Q(purpose__in=["*", "**"]) & ~models.Q(channel="*")),
                name="clients_consentevent_a_yes_names_one_purpose",
            ),
            models.CheckConstraint(
                condition=models.Q(event="void", voids__isnull=False) | (~models.Q(event="void") & models.Q(voids=None)),
                name="clients_consentevent_a_void_names_its_event",
            ),
            models.CheckConstraint(condition=models.Q(evidence_level__lte=3), name="clients_consentevent_evidence_0_to_3"),
        ]
        indexes = [models.Index(fields=["subject", "purpose", "channel"], name="clients_consentevent_fold")]

    class Privacy:
        """Evidence of consent, kept without the person: the subject's link to the client is what erasure cuts."""

        subject = "subject__client"
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {
            "id", "subject", "purpose", "channel", "event", "address_hmac", "effective_at", "recorded_at", "source",
            "actor_type", "actor", "evidence_level", "text", "voids",
        }  # fmt: skip

    def __str__(self) -> str:
        return f"{self.event} {self.purpose} {self.channel}".strip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert the row; an existing one cannot be changed (a trigger in the database says the same)."""
        if not self._state.adding:
            raise Refused(str(_("A line of the consent ledger cannot be changed.")))
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Refuse: only retention deletes lines of the ledger."""
        raise Refused(str(_("A line of the consent ledger cannot be deleted.")))


class ConsentEvidence(models.Model):
    """What proves an event and is itself personal. Erasure deletes it; the event stays."""

    event = models.OneToOneField(ConsentEvent, on_delete=models.CASCADE, related_name="evidence")
    note = models.CharField(max_length=500, blank=True)
    ip_truncated = models.CharField(max_length=50, blank=True)
    user_agent_hash = models.CharField(max_length=64, blank=True)
    page = models.CharField(max_length=200, blank=True)
    signed_form = models.ForeignKey("clients.SignedForm", null=True, on_delete=models.SET_NULL, related_name="evidence")

    class Privacy:
        """All of it goes."""

        subject = "event__subject__client"
        fate = "deleted"
        erase: ClassVar[set[str]] = {"note", "ip_truncated", "user_agent_hash", "page"}
        keep: ClassVar[set[str]] = {"id", "event", "signed_form"}

    def __str__(self) -> str:
        return f"evidence of event {self.event_id}"


class Standing(models.Model):
    """The fold of the ledger, written down: one row for each purpose and channel of a client that has events.

    Kept by `consent.record` in the transaction that writes the ledger. No row means `unknown`.
    """

    class State(models.TextChoices):
        """What the fold can say."""

        GRANTED = "granted"
        PENDING = "pending"
        WITHDRAWN = "withdrawn"
        SOFT_OPT_IN = "soft_opt_in"
        UNKNOWN = "unknown"

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="standings")
    purpose = models.CharField(max_length=30)
    channel = models.CharField(max_length=10, blank=True)
    state = models.CharField(max_length=15, choices=State.choices)
    event = models.ForeignKey(ConsentEvent, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["client", "purpose", "channel"], name="clients_standing_one_a_question")]
        indexes = [models.Index(fields=["purpose", "channel", "state"], name="clients_standing_lists")]

    class Privacy:
        """A projection: goes with the card."""

        subject = "client"
        erase: ClassVar[set[str]] = {"state", "event"}
        keep: ClassVar[set[str]] = {"id", "client", "purpose", "channel"}

    class Merging:
        """Folded anew over the joined ledger."""

        clashes: ClassVar[dict[str, Clash]] = {"client": Clash.REBUILT}

    def __str__(self) -> str:
        return f"{self.purpose} {self.channel}: {self.state}"


class Address(models.Model):
    """One e-mail address or phone number by its keyed hash: stopped, bounced, counted. Survives the person.

    The row that the hand-over of a message locks after the client and before the appointment.
    """

    class Scope(models.TextChoices):
        """How much is stopped."""

        NONE = ""
        DELIVERY = "delivery"
        MARKETING = "marketing"
        ALL = "all"

    class Reason(models.TextChoices):
        """Why it is stopped."""

        NONE = ""
        OBJECT = "object"
        STOP = "stop"
        COMPLAINT = "complaint"
        HARD_BOUNCE = "hard_bounce"
        INVALID = "invalid"
        ERASED = "erased"
        MANUAL = "manual"

    channel = models.CharField(max_length=10, choices=Channel.choices)
    hmac = models.CharField(max_length=64)
    scope = models.CharField(max_length=10, choices=Scope.choices, blank=True, default="")
    reason = models.CharField(max_length=15, choices=Reason.choices, blank=True, default="")
    stopped_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["channel", "hmac"], name="clients_address_once")]

    class Privacy:
        """A keyed hash without a person, so that a stop outlives the card."""

        subject = None
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {"id", "channel", "hmac", "scope", "reason", "stopped_at", "created_at"}

    def __str__(self) -> str:
        return f"{self.channel} {self.hmac[:8]}"
