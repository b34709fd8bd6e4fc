"""The salon's profile, its people and the audit trail."""

import uuid
import zoneinfo
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from salon.core.errors import Refused
from salon.core.roles import May, Role, may


class UserManager(BaseUserManager["User"]):
    """Makes users by e-mail address."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return the user with this e-mail address, upper and lower case alike."""
        return self.get(email__iexact=username)

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Return a new user. Without a password the account cannot sign in until one is set."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """Somebody of the salon who signs in. What they may do follows from `role` alone."""

    class Theme(models.TextChoices):
        """Light, dark, or as the device says."""

        AUTO = "auto", _("As the device")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    class Density(models.TextChoices):
        """How much air a row has."""

        COMFORTABLE = "comfortable", _("Comfortable")
        COMPACT = "compact", _("Compact")

    email = models.EmailField(_("e-mail"), max_length=254, unique=True)
    name = models.CharField(_("name"), max_length=100)
    role = models.CharField(_("role"), max_length=20, choices=Role.choices, default=Role.STYLIST)
    is_active = models.BooleanField(_("active"), default=True)
    language = models.CharField(_("language"), max_length=5, choices=settings.LANGUAGES, default="en")
    theme = models.CharField(_("theme"), max_length=10, choices=Theme.choices, default=Theme.AUTO)
    density = models.CharField(_("density"), max_length=20, choices=Density.choices, default=Density.COMFORTABLE)
    has_shortcuts = models.BooleanField(_("keyboard shortcuts"), default=True)
    # Where they get an SMS that they send themselves as a test; for nothing else.
    phone = models.CharField(_("mobile number"), max_length=20, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects = UserManager()

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="core_user_email_any_case")]

    class Privacy:
        """A member of the team, not a client: nothing here is about one."""

        subject = None
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {
            "id", "email", "name", "role", "is_active", "language", "theme", "density", "has_shortcuts",
            "phone", "created_at", "password", "last_login", "is_superuser", "groups", "user_permissions",
        }  # fmt: skip

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        """Return the name as the team writes it."""
        return self.name

    @property
    def is_staff(self) -> bool:
        """Return whether the Django admin is open to this user: the owner's only."""
        return self.role == Role.OWNER

    @property
    def initials(self) -> str:
        """Return one or two letters for the round mark beside the name."""
        return "".join(word[0] for word in self.name.split()[:2]).upper() or self.email[:1].upper()

    def may(self, act: May) -> bool:
        """Return whether this user has `act` (`salon.core.roles`)."""
        return self.is_active and may(self.role, act)

    def get_session_auth_hash(self) -> str:
        """Return a value that changes, and so ends every session, with password, role or deactivation."""
        return f"{super().get_session_auth_hash()}:{self.role}:{self.is_active}"


class SalonQuerySet(models.QuerySet["Salon"]):
    """The one profile row."""

    def current(self) -> "Salon":
        """Return the salon's profile. Raises Salon.DoesNotExist before the set-up page was filled in."""
        return self.get(pk=1)


class Salon(models.Model):
    """The profile of the salon: one row, made by the set-up page."""

    class Delivery(models.TextChoices):
        """Whether messages really leave."""

        LIVE = "live", _("Live")
        HOLD = "hold", _("On hold")

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    name = models.CharField(_("name of the salon"), max_length=100)
    legal_name = models.CharField(_("legal name"), max_length=150, blank=True)
    street = models.CharField(_("street"), max_length=150, blank=True)
    postcode = models.CharField(_("postcode"), max_length=20, blank=True)
    city = models.CharField(_("town"), max_length=100, blank=True)
    country = models.CharField(_("country"), max_length=2)
    # Where the country has public holidays of its regions (`salon.core.regions`); empty for none, or where there are none.
    region = models.CharField(_("region"), max_length=20, blank=True)
    phone = models.CharField(_("phone"), max_length=20, blank=True)
    email = models.EmailField(_("e-mail"), max_length=254, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64)
    language = models.CharField(_("language"), max_length=5, choices=settings.LANGUAGES)
    currency = models.CharField(_("currency"), max_length=3)
    # Where clients reach this installation from their phones; without https it opens nothing (`salon.core.public`).
    public_url = models.URLField(_("public address"), max_length=200, blank=True)
    is_mfa_required = models.BooleanField(_("second factor for owner and managers"), default=True)
    is_demo = models.BooleanField(default=False, editable=False)
    delivery = models.CharField(max_length=10, choices=Delivery.choices, default=Delivery.LIVE)
    instance = models.UUIDField(default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = SalonQuerySet.as_manager()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="core_salon_only_one")]

    class Privacy:
        """The salon itself, not a client."""

        subject = None
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {
            "id", "name", "legal_name", "street", "postcode", "city", "country", "region", "phone", "email", "time_zone",
            "language", "currency", "public_url", "is_mfa_required", "is_demo", "delivery", "instance", "created_at",
        }  # fmt: skip

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """Return the salon's time zone: wall times, quiet hours and days are meant in it."""
        return zoneinfo.ZoneInfo(self.time_zone)

    @property
    def address_line(self) -> str:
        """Return street, postcode and town on one line, without gaps for what is missing."""
        town = " ".join(part for part in (self.postcode, self.city) if part)
        return ", ".join(part for part in (self.street, town) if part)


class SetupLink(models.Model):
    """The one-time link that lets its holder take a new installation. Only its hash is kept."""

    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    used_at = models.DateTimeField(null=True, editable=False)

    class Privacy:
        """No person."""

        subject = None
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {"id", "token_hash", "created_at", "used_at"}

    def __str__(self) -> str:
        return f"set-up link of {self.created_at:%Y-%m-%d %H:%M}"


class AuditEvent(models.Model):
    """Who did what when: ids, field names and reason codes only, never values. Written by `audit.record`."""

    at = models.DateTimeField(default=timezone.now, db_index=True)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    action = models.CharField(max_length=60)
    subject_type = models.CharField(max_length=60, blank=True)
    subject_id = models.BigIntegerField(null=True)
    facts = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["subject_type", "subject_id", "at"], name="core_audit_subject")]

    class Privacy:
        """Ids and codes only: nothing to erase, by construction (see `audit.record`)."""

        subject = None
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {"id", "at", "by", "action", "subject_type", "subject_id", "facts"}

    def __str__(self) -> str:
        return f"{self.action} {self.subject_type} {self.subject_id or ''}".strip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert the row; an existing one cannot be changed."""
        if not self._state.adding:
            raise Refused("An audit event cannot be changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Refuse: only retention deletes audit events, in bulk."""
        raise Refused("An audit event cannot be deleted.")


class Notice(models.Model):
    """Something that was done meanwhile for a user, in the bell of the top bar. Written by `notices.tell`."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notices")
    code = models.CharField(max_length=40)
    facts = models.JSONField(default=dict)
    url = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["user", "-id"], name="core_notice_last")]

    class Privacy:
        """Counts and codes for somebody of the team: the words are made when it is read."""

        subject = None
        erase: ClassVar[set[str]] = set()
        keep: ClassVar[set[str]] = {"id", "user", "code", "facts", "url", "at", "read_at"}

    def __str__(self) -> str:
        return f"{self.code} for user {self.user_id}"
