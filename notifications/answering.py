"""Tells the desk in its bell that a client has answered by SMS. Counts and ids only; the words stand on the page it leads to."""

import datetime as dt
from collections.abc import Mapping, Sequence

from django.urls import reverse
from django.utils.translation import gettext as _

from clients.models import Client
from notifications.stopwords import Meaning
from salon.core import notices
from salon.core.models import User
from salon.core.roles import May

ANSWER, DOUBT = "sms.answer", "sms.doubt"


def ring(cards: Sequence[Client], meaning: Meaning, *, now: dt.datetime) -> None:
    """Put an answer into the bell of everybody who sees messages, once, however many cards have the number."""
    code = DOUBT if meaning is Meaning.DOUBT else ANSWER
    url = reverse("notifications:replies") + (f"#client-{cards[0].pk}" if cards else "")
    for user in User.objects.filter(is_active=True).order_by("pk"):
        # Nobody else reads what somebody with a restricted card writes (`access.replies_for`).
        if user.may(May.SEE_MESSAGES) and (user.may(May.SERVE_RIGHTS) or not _are_hidden(cards)):
            notices.tell(user, code, url=url, now=now, client=cards[0].pk if cards else 0)


def _are_hidden(cards: Sequence[Client]) -> bool:
    return bool(cards) and all(card.is_hidden for card in cards)


def register() -> None:
    """Say how the bell tells of it. Called when the app starts."""
    notices.register(ANSWER, icon="message", words=_answered)
    notices.register(DOUBT, icon="alert-triangle", words=_doubtful)


def _answered(facts: Mapping[str, int]) -> str:
    return _("A client answered by SMS.") if facts.get("client") else _("An SMS came from a number that no card has.")


def _doubtful(facts: Mapping[str, int]) -> str:
    return _("An SMS may be a stop. Offers by SMS wait until somebody has read it.")
