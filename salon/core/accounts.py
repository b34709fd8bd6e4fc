"""How sign-in behaves: allauth does the work, nobody can sign up by themselves."""

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast
from urllib.parse import quote, urljoin, urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.decorators import reauthentication_required
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib.auth import login
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone

from salon.core import audit, secrets, sessions
from salon.core.models import AuditEvent, Salon, User

AnyView = TypeVar("AnyView", bound=Callable[..., HttpResponseBase])
# One line in the trail for a row of refused tries, as long as the lock of `ACCOUNT_RATE_LIMITS` lasts.
LOCK_FOR = dt.timedelta(minutes=5)


@dataclass(frozen=True)
class _Site:
    """What mails say of the house. The request's own Host header is somebody's claim and stands in no mail."""

    name: str
    domain: str


def _site() -> _Site:
    return _Site(Salon.objects.current().name, urlsplit(settings.PUBLIC_BASE_URL).netloc)


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts are made by the set-up page and by invitation only."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return False: there is no public registration."""
        return False

    def get_user_display(self, user: Any) -> str:
        """Return how a user is called in mails about the account."""
        return str(user)

    def is_reauthentication_required(self, *, app: str) -> bool:
        """Return whether the password must be given again: not to somebody who has just signed in with it."""
        records = get_authentication_records(self.request, self.request.user)
        return not records or time.time() - records[-1]["at"] > settings.ACCOUNT_REAUTHENTICATION_TIMEOUT

    def post_login(self, request: HttpRequest, user: User, **details: Any) -> HttpResponse:
        """Write down that `user` is in, the second factor included, and lead on."""
        audit.record("user.signed_in", user, by=user)
        answer: HttpResponse = super().post_login(request, user, **details)
        return answer

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Write down a wrong password. For an address that nobody has too: no time tells the one from the other."""
        member = _member(request, credentials)
        if member is None:
            audit.record("user.sign_in_unknown")
        else:
            audit.record("user.sign_in_failed", member)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Refuse after too many tries, and write that down once for as long as it lasts. Raises ValidationError."""
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            member = _member(request, credentials)
            known = AuditEvent.objects.filter(action="user.locked_out", at__gt=timezone.now() - LOCK_FOR)
            if not known.filter(subject_id=member.pk if member else None).exists():
                audit.record("user.locked_out", member)
            raise

    def set_password(self, user: User, password: str) -> None:
        """Set the password that `user` chose, signed in or by the link of a mail."""
        super().set_password(user, password)
        audit.record("user.password_changed", user, by=user)

    def send_notification_mail(self, template_prefix: str, user: User, *args: Any, **kwargs: Any) -> None:
        """Write down what became of a second factor: allauth tells of it here, whether a mail leaves or not."""
        if template_prefix == "mfa/email/totp_activated":
            audit.record("user.factor_added", user, by=user)
        elif template_prefix == "mfa/email/totp_deactivated":
            audit.record("user.factor_removed", user, by=user)
        elif template_prefix == "mfa/email/recovery_codes_generated":
            audit.record("user.codes_made", user, by=user)
        super().send_notification_mail(template_prefix, user, *args, **kwargs)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """Return the own menu, where the change began."""
        return reverse("core:me")

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Return the link of a forgotten password, at the installation's own address."""
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
        link: str = urljoin(settings.PUBLIC_BASE_URL, path.replace("UID-KEY", quote(key)))
        return link

    def format_email_subject(self, subject: str) -> str:
        """Return the subject with the salon's name before it."""
        return f"[{_site().name}] {subject}"

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a mail about an account, in the salon's name."""
        self.render_mail(
            template_prefix, email, {"request": self.request, "email": email, **context, "current_site": _site()}
        ).send()


def _member(request: HttpRequest, credentials: dict[str, Any]) -> User | None:
    if isinstance(request.user, User):  # asked for the password once more
        return request.user
    return User.objects.filter(email__iexact=str(credentials.get("email") or "")).first()


class SecondFactor(DefaultMFAAdapter):  # type: ignore[misc]
    """Keeps the seeds of authenticator apps encrypted, as every credential in the database."""

    def encrypt(self, text: str) -> str:
        """Return the ciphertext to store."""
        return secrets.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Return the plain seed. Raises Unreadable when no key of the installation opens it."""
        return secrets.unseal(encrypted_text)


def sign_in(request: HttpRequest, user: User) -> None:
    """Sign `user` in who has just chosen a password, so that they are not asked for it again at once."""
    login(request, user, backend="allauth.account.auth_backends.AuthenticationBackend")
    record_authentication(request, user, method="password", email=user.email)
    sessions.note(request)


def confirmed(view: AnyView) -> AnyView:
    """Ask for the password once more before a form is sent, unless it was given in the last minutes; then send it.

    An unattended desk is signed in: who may be in the team is not changed by whoever passes by.
    """
    return cast(AnyView, reauthentication_required(allow_get=True)(view))
