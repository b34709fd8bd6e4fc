"""The whole demo in one go, all or nothing: profile, team, clients, visits, answers, messages."""

import datetime as dt
from dataclasses import dataclass
from random import Random

from django.db import transaction
from django.utils.translation import gettext as _

from clients.duplicates import scan
from clients.models import Client
from notifications.demo import answers, house, messages, people, promotions, visits
from notifications.demo.house import Login
from salon.core import audit, instance
from salon.core.errors import Refused
from salon.core.models import Salon, User
from salon.core.roles import Role


@dataclass(frozen=True)
class Opened:
    """What was made, in numbers, and how to get in."""

    client_count: int
    visit_count: int
    logins: list[Login]


def is_empty() -> bool:
    """Return whether nobody has taken this installation and no client is in it."""
    return not (Salon.objects.exists() or User.objects.exists() or Client.objects.exists())


def refuse_unless_empty() -> None:
    """Raise Refused when there is a salon, a user or a client already."""
    if not is_empty():
        words = _("This installation has data already, and the demo fills an empty one only. To start it: ./run without --demo.")
        raise Refused(words)


@transaction.atomic
def fill(*, client_count: int, language: str, seed: int, now: dt.datetime, country: str = "FR") -> Opened:
    """Fill an empty installation with the demo salon and return its sign-ins. The same seed gives the same people.

    The salon speaks the language of its `country`: its services, its notes, most of its clients. The team reads `language`.

    Raises Refused when there is a salon, a user or a client already.
    """
    refuse_unless_empty()
    rng = Random(seed)  # noqa: S311 (believable, not secret)
    salon = house.profile(country)
    users, logins = house.team(language)
    language, desk = salon.language, users[Role.RECEPTION]
    services = house.services(language)
    staff = house.staff(users[Role.STYLIST])
    clients = people.add(client_count, language=language, rng=rng, by=desk, now=now)
    answers.add(clients, by=desk, rng=rng, now=now)
    answers.write_health_notes(clients, language=language, by=desk, now=now)
    book = visits.Book(clients, staff, services, salon.zone, language, desk, now, rng)
    made = visits.add(book)
    people.retire(made, rng=rng, now=now)
    scan.all_cards(now)
    messages.add(made, salon=salon, rng=rng, now=now)
    promotions.add(salon=salon, language=language, by=users[Role.MANAGER], rng=rng, now=now)
    audit.record("demo.filled", salon, clients_count=len(clients), visits_count=len(made))
    transaction.on_commit(lambda: instance.claim(salon))
    return Opened(len(clients), len(made), logins)
