"""The person and what they agreed to: rows only. Changes go through `records`, `consent` and later operations."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Greatest, Least
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from salon.core.errors import Refused
from salon.core.models import User
from salon.core.phone import NumberField
from salon.core.secrets import EncryptedField


class Channel(models.TextChoices):
    """The ways to reach a person."""

    EMAIL = "email", _("E-mail")
    SMS = "sms", _("SMS")


class CameThrough(models.TextChoices):
    """How somebody found the salon."""

    FRIEND = "friend", _("Somebody recommended us")
    SEARCH = "search", _("Internet search")
    SOCIAL = "social", _("Social media")
    PASSING = "passing", _("Walked past")
    ADVERT = "advert", _("Advertisement")
    OTHER = "other", pgettext_lazy("how a client found the salon", "Another way")


class Tag(models.Model):
    """A word of the salon's own for some clients: "regular", "bridal". Written as typed, one for all spellings of it."""

    name = models.CharField(max_length=40)
    # Kept by `clients.tags`: the name without accents and case.
    folded = models.CharField(max_length=80, unique=True, editable=False)

    class Meta:
        ordering = ["folded"]

    class Privacy:
        """A word, no person."""

        subject = None
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {"id", "name", "folded"}

    def __str__(self) -> str:
        return self.name


class ClientQuerySet(models.QuerySet["Client"]):
    """Questions about clients."""

    def active(self) -> "ClientQuerySet":
        """Return the clients of the everyday list."""
        return self.filter(inactive_at=None, restricted_at=None, erased_at=None)


class Client(models.Model):
    """A person in the salon's book. One of first name, last name and phone is enough."""

    first_name = models.CharField(_("first name"), max_length=100, blank=True)
    last_name = models.CharField(_("last name"), max_length=100, blank=True)
    email = models.EmailField(_("e-mail"), max_length=254, blank=True, db_index=True)
    phone: Any = NumberField(_("phone"), blank=True, db_index=True)
    language = models.CharField(_("language"), max_length=5, choices=settings.LANGUAGES)
    birth_day = models.PositiveSmallIntegerField(
        _("day of birth"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(31)]
    )
    birth_month = models.PositiveSmallIntegerField(
        _("month of birth"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(12)]
    )
    birth_year = models.PositiveSmallIntegerField(_("year of birth"), null=True, blank=True)
    street = models.CharField(_("street"), max_length=150, blank=True)
    postcode = models.CharField(_("postcode"), max_length=20, blank=True)
    city = models.CharField(_("town"), max_length=100, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    note = models.TextField(_("client note"), max_length=2000, blank=True)
    preferred_channel = models.CharField(_("likes to be reached by"), max_length=10, choices=Channel.choices, blank=True)
    came_through = models.CharField(_("found us through"), max_length=10, choices=CameThrough.choices, blank=True)
    tags = models.ManyToManyField(Tag, related_name="clients", blank=True)

    # Kept by records: folded names, digits of the phone, e-mail; what the search box looks in.
    search_text = models.TextField(editable=False, blank=True)
    # Kept by records: folded "last first", so that the list is in the order of a phone book in every language.
    sort_name = models.CharField(max_length=220, editable=False, blank=True)
    # Raised by every change, so that the second of two editors is told.
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    # Chosen by the client: no marketing until then.
    marketing_paused_until = models.DateTimeField(null=True, blank=True, editable=False)
    inactive_at = models.DateTimeField(null=True, blank=True, editable=False)
    blacklisted_at = models.DateTimeField(null=True, blank=True, editable=False)
    restricted_at = models.DateTimeField(null=True, blank=True, editable=False)
    erased_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ClientQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(first_name="", last_name="", phone="") | models.Q(erased_at__isnull=False),
                name="clients_client_has_a_name_or_phone",
            ),
            models.CheckConstraint(
                condition=models.Q(birth_day=None, birth_month=None)
                | models.Q(birth_day__isnull=False, birth_month__isnull=False),
                name="clients_client_birth_day_with_month",
            ),
        ]
        indexes = [models.Index(fields=["sort_name", "id"], name="clients_client_order")]

    class Privacy:
        """The person themselves: all of it goes when they are forgotten, but the ids and the dates of the row."""

        subject = "id"
        erase: ClassVar[set[str]] = {
            "first_name", "last_name", "email", "phone", "language", "birth_day", "birth_month", "birth_year", "street",
            "postcode", "city", "country", "note", "preferred_channel", "came_through", "tags", "search_text", "sort_name",
            "blacklisted_at", "marketing_paused_until",
        }  # fmt: skip
        keep: ClassVar[set[str]] = {"id", "version", "created_at", "inactive_at", "restricted_at", "erased_at"}

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """Return first and last name, or the phone number of somebody who gave no name."""
        return " ".join(part for part in (self.first_name, self.last_name) if part) or str(self.phone)

    @property
    def initials(self) -> str:
        """Return up to two letters for the round mark beside the name."""
        return "".join(part[0] for part in (self.first_name, self.last_name) if part).upper() or "#"


class Subject(models.Model):
    """Whom the ledger is about. Made with the card; a merge repoints it, erasure empties it, the ledger stays."""

    client = models.ForeignKey(Client, null=True, on_delete=models.SET_NULL, related_name="subjects")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Privacy:
        """The link to the person, cut when they are forgotten."""

        subject = "client"
        erase: ClassVar[set[str]] = {"client"}
        keep: ClassVar[set[str]] = {"id", "created_at"}

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

    class Privacy:
        """All of it goes."""

        subject = "event__subject__client"
        erase: ClassVar[set[str]] = {"note", "ip_truncated", "user_agent_hash", "page"}
        keep: ClassVar[set[str]] = {"id", "event"}

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


class ClientContact(models.Model):
    """A further phone number or e-mail of a client: found by the search, never written to by a message.

    Two cards may have the same one: mother and son share a phone, and each stays a card of its own.
    """

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="contacts")
    channel = models.CharField(max_length=10, choices=Channel.choices)
    # E.164 or an e-mail in lower case, as on the card.
    address = models.CharField(max_length=254, db_index=True)
    label = models.CharField(max_length=60, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["client", "channel", "address"], name="clients_clientcontact_once"),
        ]

    class Privacy:
        """How to reach somebody: all of it goes."""

        subject = "client"
        erase: ClassVar[set[str]] = {"channel", "address", "label"}
        keep: ClassVar[set[str]] = {"id", "client"}

    def __str__(self) -> str:
        return f"{self.channel} of {self.client_id}"


class ClientLink(models.Model):
    """Two clients who belong together. `kind` says what `other` is to `client`; one row for both directions."""

    class Kind(models.TextChoices):
        """What the other one is."""

        GUARDIAN = "guardian", _("Parent or guardian")
        CHILD = "child", _("Child")
        PARTNER = "partner", _("Partner")
        FAMILY = "family", _("Family")

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="links")
    other = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="linked_by")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~models.Q(client=models.F("other")), name="clients_clientlink_two_people"),
            models.UniqueConstraint(Least("client", "other"), Greatest("client", "other"), name="clients_clientlink_one_a_pair"),
        ]

    class Privacy:
        """Who belongs to whom; the row goes with either card."""

        subject = "client"
        erase: ClassVar[set[str]] = {"kind", "other"}
        keep: ClassVar[set[str]] = {"id", "client", "created_at"}

    def __str__(self) -> str:
        return f"{self.client_id} {self.kind} {self.other_id}"


class HealthNoteQuerySet(models.QuerySet["HealthNote"]):
    """What is done to many health notes at once."""

    def forget(self, client_ids: Iterable[int]) -> None:
        """Delete those of these clients who do not agree to them, or not any more."""
        if ids := set(client_ids):
            agreed = Standing.objects.filter(purpose="health_notes", state=Standing.State.GRANTED)
            self.filter(client__in=ids).exclude(client__in=agreed.values("client")).delete()


class HealthNote(models.Model):
    """What a client said about allergies and health, encrypted. Held only while they agree to it (`health_notes`).

    On no list, in no search, export, message or log; read and written through `clients.health` alone.
    """

    client = models.OneToOneField(Client, on_delete=models.CASCADE, related_name="health_note")
    text = EncryptedField(blank=True)
    patch_tested_on = models.DateField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    written_at = models.DateTimeField(default=timezone.now, editable=False)
    written_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    objects = HealthNoteQuerySet.as_manager()

    class Privacy:
        """All of it goes."""

        subject = "client"
        erase: ClassVar[set[str]] = {"text", "patch_tested_on", "written_at", "written_by"}
        keep: ClassVar[set[str]] = {"id", "client", "version"}

    def __str__(self) -> str:
        return f"health note of client {self.client_id}"


class OpenedCard(models.Model):
    """Which cards a user opened last: what the search box shows before anything is typed."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="opened_cards")
    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="+")
    opened_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "client"], name="clients_openedcard_once")]
        indexes = [models.Index(fields=["user", "-opened_at"], name="clients_openedcard_last")]

    class Privacy:
        """Who was looked at; goes with the card."""

        subject = "client"
        erase: ClassVar[set[str]] = {"opened_at"}
        keep: ClassVar[set[str]] = {"id", "user", "client"}

    def __str__(self) -> str:
        return f"card {self.client_id}"


class Import(models.Model):
    """A list that somebody brought: its rows as read, what its columns hold, how far it is and what it did.

    Only `clients.importing.jobs` moves its state.
    """

    class State(models.TextChoices):
        """Where it stands."""

        UPLOADED = "uploaded", _("Columns to check")
        CHECKING = "checking", _("Being checked")
        CHECKED = "checked", _("Ready to import")
        RUNNING = "running", _("Running")
        DONE = "done", _("Imported")
        FAILED = "failed", _("Stopped")
        UNDOING = "undoing", _("Being undone")
        UNDONE = "undone", _("Undone")
        DISCARDED = "discarded", _("Discarded")

    state = models.CharField(max_length=10, choices=State.choices, default=State.UPLOADED)
    title = models.CharField(max_length=100)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    settled_at = models.DateTimeField(null=True)

    # Header and rows, compressed (`stored`); empty once nobody may need them any more.
    sheet = models.BinaryField(default=bytes)
    row_count = models.PositiveIntegerField(default=0)
    # What the columns hold where somebody said so by hand: field by the column's number.
    columns = models.JSONField(null=True)
    # What the check found (`report`): counts, and the rows to look at.
    report = models.JSONField(default=dict)

    # Steps of the job in hand, and what stands in the book so far.
    step_count = models.PositiveIntegerField(default=0)
    steps_done = models.PositiveIntegerField(default=0)
    new_count = models.PositiveIntegerField(default=0)
    filled_count = models.PositiveIntegerField(default=0)
    claim_count = models.PositiveIntegerField(default=0)
    stop_count = models.PositiveIntegerField(default=0)
    taken_back_count = models.PositiveIntegerField(default=0)
    kept_count = models.PositiveIntegerField(default=0)

    # Whose job it is; after the lease anybody's, who then goes on where it stopped.
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    try_count = models.PositiveSmallIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["state", "id"], name="clients_import_waiting")]

    class Privacy:
        """A list of many people, kept for days and then emptied whole: nobody is taken out of it singly."""

        subject = None
        erase: ClassVar[set[str]] = {"title", "sheet", "columns", "report"}
        keep: ClassVar[set[str]] = {
            "id", "state", "by", "created_at", "settled_at", "row_count", "step_count", "steps_done", "new_count",
            "filled_count", "claim_count", "stop_count", "taken_back_count", "kept_count", "lease_token", "lease_until",
            "try_count",
        }  # fmt: skip

    def __str__(self) -> str:
        return f"import {self.pk}"


class ImportedCard(models.Model):
    """A card that an import made or filled, so that it can be undone: keyed digests of what it wrote, no values."""

    source = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="cards")
    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="imports")
    is_new = models.BooleanField()
    # Digest by field. Of a new card every field has one, the empty ones too.
    marks = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now)
    # What an undo did with it: nothing yet, emptied, or the code of the reason why it stays (`undoing`).
    outcome = models.CharField(max_length=60, blank=True)

    class Meta:
        indexes = [models.Index(fields=["source", "outcome", "client"], name="clients_importedcard_undo")]

    class Privacy:
        """That a list named them; goes with the card."""

        subject = "client"
        erase: ClassVar[set[str]] = {"marks"}
        keep: ClassVar[set[str]] = {"id", "source", "client", "is_new", "at", "outcome"}

    def __str__(self) -> str:
        return f"card {self.client_id} of import {self.source_id}"


class Export(models.Model):
    """A file of clients that somebody asked for: what is in it, what for, how far it is. `clients.exporting.exports` moves it."""

    class State(models.TextChoices):
        """Where it stands."""

        RUNNING = "running", _("Being written")
        READY = "ready", _("Ready")
        HANDED = "handed", _("Downloaded at once")
        FAILED = "failed", _("Stopped")
        EXPIRED = "expired", _("Deleted")

    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    settled_at = models.DateTimeField(null=True)

    # What was asked for: columns, who of the list, and the list as in its address.
    preset = models.CharField(max_length=20)
    who = models.CharField(max_length=10)
    text = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=10)
    sort = models.CharField(max_length=10)
    purpose = models.CharField(max_length=200, blank=True)

    row_count = models.PositiveIntegerField(default=0)
    rows_done = models.PositiveIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0)
    # Why it stopped: a code of `exports.REASONS`.
    reason = models.CharField(max_length=10, blank=True)

    # Whose job it is; after the lease anybody's, who then begins anew.
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    try_count = models.PositiveSmallIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["state", "id"], name="clients_export_waiting")]

    class Privacy:
        """Who took what out of the house; what was searched and what for may name somebody."""

        subject = None
        erase: ClassVar[set[str]] = {"text", "purpose"}
        keep: ClassVar[set[str]] = {
            "id", "state", "by", "created_at", "settled_at", "preset", "who", "status", "sort", "row_count", "rows_done",
            "size", "reason", "lease_token", "lease_until", "try_count",
        }  # fmt: skip

    def __str__(self) -> str:
        return f"export {self.pk}"


class ExportPart(models.Model):
    """A piece of a finished file, in the database so that every host of an installation can give it out. Gone after a day."""

    source = models.ForeignKey(Export, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "number"], name="clients_exportpart_once")]

    class Privacy:
        """A list of many people, deleted whole."""

        subject = None
        erase: ClassVar[set[str]] = {"data"}
        keep: ClassVar[set[str]] = {"id", "source", "number"}

    def __str__(self) -> str:
        return f"part {self.number} of export {self.source_id}"
