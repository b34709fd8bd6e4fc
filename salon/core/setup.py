"""Taking a new installation, once, by the link that its console printed. Called by the set-up page and `setup_link`."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from salon.core import audit, instance
from salon.core.errors import Refused
from salon.core.models import Salon, SetupLink, User
from salon.core.roles import Role
from salon.core.secrets import token_hash


@dataclass(frozen=True)
class Profile:
    """What the salon says of itself. `country` has two letters, `phone` is E.164 or empty."""

    name: str
    country: str
    time_zone: str
    language: str
    currency: str
    street: str = ""
    postcode: str = ""
    city: str = ""
    phone: str = ""
    email: str = ""
    is_mfa_required: bool = True
    region: str = ""


def is_done() -> bool:
    """Return whether somebody owns this installation."""
    return Salon.objects.exists() or User.objects.filter(role=Role.OWNER).exists()


@transaction.atomic
def link(base_url: str) -> str:
    """Return a new one-time link, which voids the one before; an empty text once somebody owns the installation."""
    if is_done():
        return ""
    token = secrets.token_urlsafe(32)
    SetupLink.objects.filter(used_at=None).delete()
    SetupLink.objects.create(token_hash=token_hash(token))
    return f"{base_url}/setup/{token}/"


def is_open(token: str) -> bool:
    """Return whether `token` still opens the set-up page."""
    return SetupLink.objects.filter(token_hash=token_hash(token), used_at=None).exists() and not is_done()


@transaction.atomic
def _take(token: str, profile: Profile, *, name: str, email: str, password: str, now: datetime) -> User:
    refusal = Refused(_("This link was used already, or is not the newest one."))
    held = SetupLink.objects.select_for_update().filter(token_hash=token_hash(token), used_at=None).first()
    if held is None or is_done():
        raise refusal
    held.used_at = now
    held.save(update_fields=["used_at"])
    try:
        with transaction.atomic():
            salon = Salon(**vars(profile))
            salon.save(force_insert=True)
    except IntegrityError as error:
        raise refusal from error
    owner = User.objects.create_user(email, password, name=name, role=Role.OWNER, language=profile.language)
    audit.record("setup.taken", salon, by=owner)
    instance.claim(salon)
    return owner


def take(token: str, profile: Profile, *, name: str, email: str, password: str, now: datetime | None = None) -> User:
    """Make the salon and its owner, use up the link, and return the owner.

    Of two people with the same link one wins. Raises Refused for the other, and for a link that is not open.
    """
    return _take(token, profile, name=name, email=email, password=password, now=now or timezone.now())
