"""How sign-in behaves: allauth does the work, nobody can sign up by themselves."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts are made by the set-up page and by invitation only."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return False: there is no public registration."""
        return False

    def get_user_display(self, user: Any) -> str:
        """Return how a user is called in mails about the account."""
        return str(user)
