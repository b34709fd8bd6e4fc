"""The salon of the demo itself: profile, team with sign-ins, services, staff and hours."""

import datetime as dt
import secrets
from dataclasses import dataclass
from decimal import Decimal

from appointments.models import Service, Staff, WorkingHours
from notifications.demo import words
from salon.core.models import Salon, User
from salon.core.roles import Role

TEAM = (
    (Role.OWNER, "Olivia Moreau", "olivia"),
    (Role.MANAGER, "Nadia Keller", "nadia"),
    (Role.RECEPTION, "Sofia Klein", "sofia"),
    (Role.STYLIST, "Léa Martin", "lea"),
)
# Easy to read out and to type on a phone.
_CONSONANTS, _VOWELS = "bdfgklmnprstv", "aeio"


@dataclass(frozen=True)
class Login:
    """What somebody needs to sign in to the demo."""

    role: str
    email: str
    password: str


def profile(country: str) -> Salon:
    """Return the salon's profile, saved: a salon in Lyon, Köln or Leeds, marked as a demo."""
    language, its = words.SALONS[country]
    salon = Salon(
        name="Atelier Nord", country=country, language=language, email="bonjour@atelier-nord.example", is_mfa_required=False,
        is_demo=True, **its,
    )  # fmt: skip
    salon.save(force_insert=True)
    return salon


def team(language: str) -> tuple[dict[Role, User], list[Login]]:
    """Return one user for each role, and their sign-ins with passwords made for this installation only."""
    users, logins = {}, []
    for role, name, box in TEAM:
        password = "-".join("".join(secrets.choice(_CONSONANTS) + secrets.choice(_VOWELS) for _ in range(3)) for _ in range(4))
        email = f"{box}@atelier-nord.example"
        users[role] = User.objects.create_user(email, password, name=name, role=role, language=language)
        logins.append(Login(str(role.label), email, password))
    return users, logins


def services(language: str) -> dict[Service, tuple[str, int]]:
    """Return the services with the speciality each needs and how often it is asked for."""
    place = words.LANGUAGES.index(language)
    made = []
    for position, (speciality, category, *names, minutes, price, weeks, weight) in enumerate(words.SERVICES):
        service = Service(
            name=str(names[place]), category=words.CATEGORIES[category][place], duration_minutes=minutes,
            price=Decimal(price), rebook_weeks=weeks, position=position,
        )  # fmt: skip
        made.append((service, speciality, weight))
    Service.objects.bulk_create(service for service, _speciality, _weight in made)
    return {service: (speciality, weight) for service, speciality, weight in made}


def staff(stylist: User) -> dict[Staff, str]:
    """Return the people with their speciality, hours saved. Léa is the stylist who signs in."""
    people = {}
    for position, (name, color, speciality, hours) in enumerate(words.STAFF):
        person = Staff.objects.create(name=name, color=color, position=position, user=stylist if name == "Léa" else None)
        people[person] = speciality
        WorkingHours.objects.bulk_create(
            WorkingHours(
                staff=person, weekday=weekday, starts_at=dt.time.fromisoformat(span[:5]), ends_at=dt.time.fromisoformat(span[6:])
            )
            for weekday, spans in hours.items()
            for span in spans
        )
    return people
