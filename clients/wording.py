"""The words a client says Yes to: which are in force, how they read, and publishing new ones.

A version that somebody agreed to stays as it was (the model and the database see to it). A new version is for new
answers only: those already given keep the words they were given to.
"""

import datetime as dt
import hashlib
import re

from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from clients import fold
from clients.models import ConsentText
from salon.core import audit
from salon.core.errors import Refused
from salon.core.models import Salon, User

LONGEST = 1000
# What an existing client is told (`clients.existing`): no Yes, so no purpose of the ledger.
NOTICE = "existing"
_BRACES = re.compile(r"\{([^{}]*)\}|[{}]")


def in_force(language: str, *, at: dt.datetime | None = None) -> dict[tuple[str, str], ConsentText]:
    """Return the newest wording of each purpose and channel ("" for purposes without messages) in a language.

    With `at` those in force then: none before the first was published.
    """
    rows = ConsentText.objects.filter(language=language).order_by("published_at", "pk")
    if at is not None:
        rows = rows.filter(published_at__lte=at)
    return {(text.purpose, text.channel): text for text in rows}


def shown(text: ConsentText, salon: Salon) -> str:
    """Return the words as the client reads them."""
    with translation.override(text.language):
        channel = {"email": _("e-mail"), "sms": _("SMS")}.get(text.channel, "")
    return text.body.replace("{salon}", salon.name).replace("{channel}", channel)


def placeholders(purpose: str) -> tuple[str, ...]:
    """Return what has to stand in a wording for this purpose."""
    return ("salon", "channel") if purpose in (*fold.MARKETING, NOTICE) else ("salon",)


@transaction.atomic
def publish(*, purpose: str, channel: str, language: str, body: str, by: User, now: dt.datetime | None = None) -> ConsentText:
    """Put new words in force from now on and return them. Raises Refused for words that cannot stand."""
    now = now or timezone.now()
    Salon.objects.select_for_update().get(pk=1)  # two who publish at once get two versions
    body = " ".join(body.split())
    _check(body, purpose)
    earlier = ConsentText.objects.filter(purpose=purpose, channel=channel, language=language)
    newest = earlier.order_by("-published_at", "-pk").first()
    if newest is None:
        raise Refused(_("There is no such wording."))
    if newest.body == body:
        raise Refused(_("These are the words already in force."), "body")
    year = timezone.localtime(now).year
    number = 1 + max((_number(text.version, year) for text in earlier), default=0)
    text = ConsentText.objects.create(
        purpose=purpose, channel=channel, language=language, version=f"{year}-{number}", body=body,
        sha256=hashlib.sha256(body.encode()).hexdigest(), published_at=now,
    )  # fmt: skip
    audit.record("wording.published", text, by=by, purpose=purpose, channel=channel, language=language, version=text.version)
    return text


def _check(body: str, purpose: str) -> None:
    needed = placeholders(purpose)
    found = {match.group(1) for match in _BRACES.finditer(body)}
    if not body or len(body) > LONGEST:
        raise Refused(_("Write between 1 and %(most)s characters.") % {"most": LONGEST}, "body")
    if missing := [name for name in needed if name not in found]:
        words = ", ".join(f"{{{name}}}" for name in missing)
        raise Refused(_("%(words)s has to stand in it: the client must read who may write, and how.") % {"words": words}, "body")
    if found - set(needed):
        words = ", ".join(f"{{{name}}}" for name in needed)
        raise Refused(_("In braces only %(words)s may stand.") % {"words": words}, "body")


def _number(version: str, year: int) -> int:
    """Return the running number of a version of this year, 0 for one of another."""
    of_year, _sign, number = version.partition("-")
    return int(number) if of_year == str(year) and number.isdigit() else 0
