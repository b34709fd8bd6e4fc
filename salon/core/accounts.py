"""How sign-in behaves: allauth does the work, nobody can sign up by themselves."""

import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest
from django.urls import reverse

from salon.core import secrets
from salon.core.models import Salon, User


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
