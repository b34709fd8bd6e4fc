"""The person: card, further contacts, who belongs to whom, tags. Rows only; changes go through `records` and the like."""

from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Greatest, Least
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from salon.core.clashes import Clash
from salon.core.models import User
from salon.core.phone import NumberField


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
    # Why the card was made inactive, as a code. Empty while it is active.
    inactive_reason = models.CharField(max_length=20, blank=True, editable=False)
    # The card that took this one in. A card taken in is empty and counts as erased: nothing finds it, nothing is sent to it.
    merged_into = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", editable=False)

    objects = ClientQuerySet.as_manager()

    # Why a card that waits for its erasure is inactive.
    DELETING = "deleting"

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
            models.CheckConstraint(
                condition=models.Q(merged_into=None) | models.Q(erased_at__isnull=False),
                name="clients_client_taken_in_is_gone",
            ),
        ]
        indexes = [
            models.Index(fields=["sort_name", "id"], name="clients_client_order"),
            # Who is active, in the order of the list: counted and counted off without a look at the cards. The last three
            # are empty in each line of it; SQLite looks at them all the same.
            models.Index(
                fields=["sort_name", "id", "inactive_reason", "inactive_at", "restricted_at", "erased_at"],
                name="clients_client_listed",
                condition=models.Q(inactive_at__isnull=True, restricted_at__isnull=True, erased_at__isnull=True),
            ),
            models.Index(fields=["inactive_at"], name="clients_client_off", condition=models.Q(inactive_at__isnull=False)),
            models.Index(
                fields=["blacklisted_at"], name="clients_client_barred", condition=models.Q(blacklisted_at__isnull=False)
            ),
            # Whose birthday it is, of however many.
            models.Index(
                fields=["birth_month", "birth_day"], name="clients_client_birthday", condition=models.Q(birth_day__isnull=False)
            ),
            # Who is new: asked at every tick of the planner.
            models.Index(fields=["created_at"], name="clients_client_new"),
            # Who else was born that day: asked when a card is added (`clients.duplicates`).
            models.Index(
                fields=["birth_year", "birth_month", "birth_day"], condition=models.Q(birth_year__isnull=False),
                name="clients_client_born",
            ),
        ]  # fmt: skip

    class Privacy:
        """The person themselves: all of it goes when they are forgotten, but the ids and the dates of the row."""

        subject = "id"
        erase: ClassVar[set[str]] = {
            "first_name", "last_name", "email", "phone", "language", "birth_day", "birth_month", "birth_year", "street",
            "postcode", "city", "country", "note", "preferred_channel", "came_through", "tags", "search_text", "sort_name",
            "blacklisted_at", "marketing_paused_until", "inactive_reason",
        }  # fmt: skip
        keep: ClassVar[set[str]] = {
            "id", "version", "created_at", "inactive_at", "restricted_at", "erased_at", "merged_into",
        }  # fmt: skip

    class Merging:
        """A tag that both cards have is there once."""

        clashes: ClassVar[dict[str, Clash]] = {"tags": Clash.MAIN}

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """Return first and last name, or the phone number of somebody who gave no name."""
        return " ".join(part for part in (self.first_name, self.last_name) if part) or self.e164

    @property
    def e164(self) -> str:
        """Return the number as text. What the database gave is not read for it: that is most of the work of a list."""
        loaded = self.__dict__.get("phone")
        return loaded if type(loaded) is str else str(self.phone or "")

    @property
    def is_hidden(self) -> bool:
        """Return whether nothing of the card may be shown but in its own place: it is restricted, or waits for its erasure."""
        return self.restricted_at is not None or self.inactive_reason == self.DELETING

    @property
    def initials(self) -> str:
        """Return up to two letters for the round mark beside the name."""
        return "".join(part[0] for part in (self.first_name, self.last_name) if part).upper() or "#"


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

    class Merging:
        """A number that both cards have is there once."""

        clashes: ClassVar[dict[str, Clash]] = {"client": Clash.MAIN}

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

    class Merging:
        """Two cards made one have no link between them, and one to anybody else: `clients.merging.handles`."""

        clashes: ClassVar[dict[str, Clash]] = {"client": Clash.BY_HAND, "other": Clash.BY_HAND}

    def __str__(self) -> str:
        return f"{self.client_id} {self.kind} {self.other_id}"


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

    class Merging:
        """Who opened both cards opened one."""

        clashes: ClassVar[dict[str, Clash]] = {"client": Clash.MAIN}

    def __str__(self) -> str:
        return f"card {self.client_id}"
