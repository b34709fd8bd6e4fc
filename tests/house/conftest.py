"""What the walks of the house stand on."""

from typing import Any

import pytest
from allauth.usersessions.models import UserSession

from clients import inactivity, tagging
from clients.models import (
    Breach,
    ConsentText,
    Deletion,
    DeletionRun,
    DuplicatePair,
    Merge,
    Restriction,
    RetentionHold,
    SavedFilter,
)
from notifications.models import Campaign, Message, Reply
from salon.core.models import Salon, User
from salon.core.roles import Role
from tests import factories, people


@pytest.fixture
def things(salon: Salon, owner: User) -> dict[str, str]:
    """One of each thing that an address can name; the visit stands in Léa's own column."""
    Salon.objects.filter(pk=salon.pk).update(public_url="https://carnet.example.org")
    lea = people.user_with(Role.STYLIST)
    staff = factories.staff(user=lea)
    client = factories.client()
    visit = factories.appointment(staff=staff, client=client)
    message = Message.objects.create(
        kind="reminder", channel="email", client=visit.client, appointment=visit, occasion="walk",
        state="unknown", not_before=visit.start_at, expires_at=visit.start_at,
    )  # fmt: skip
    campaign = Campaign.objects.create(
        kind="promotion", channel="email", title="Offre", text="Une offre.", key="walk",
        not_before=visit.start_at, expires_at=visit.start_at,
    )  # fmt: skip
    campaign.recipients.create(client=visit.client, reason="consent_missing")
    session = UserSession.objects.create(user=owner, ip="192.0.2.1", session_key="elsewhere", user_agent="Firefox/140")
    member = User.objects.create_user("invited@example.org", None, name="Paul", role=Role.STYLIST)
    system = factories.other_system()
    restricted = factories.client(restricted_at=visit.start_at)
    restriction = Restriction.objects.create(client=restricted, reason="disputed")
    rows: dict[str, Any] = {
        "system": system,
        "by_hand": factories.other_system(way="by_hand", name="Treatwell"),
        "delivery": system.deliveries.create(kind="client.preferences.changed", client_number=client.pk, sequence=1),
        "sheet": factories.signed_form(client),
        "client": client,
        "visit": visit,
        "service": visit.service,
        "staff": staff,
        "message": message,
        "campaign": campaign,
        "reply": Reply.objects.create(
            provider="twilio",
            provider_id="SM1",
            client=client,
            sender=str(client.phone),
            body="Bonjour",
            meaning="other",
            at=visit.start_at,
        ),
        "filter": SavedFilter.objects.create(name="Germans", query="lang=de"),
        "merge": Merge.objects.create(winner=client, taken_in=[0], by=owner),
        "tagrun": tagging.add({visit.client_id or 0}, name="bridal", by=owner, now=visit.start_at),
        "cardrun": inactivity.make_many_active({client.pk}, by=owner, now=visit.start_at),
        "pair": DuplicatePair.objects.create(low=client, high=factories.client(), score=60, band="likely", reasons=["phone"]),
        "member": member,
        "session": session,
        "import": factories.imported(),
        "export": factories.exported(by=owner),
        "deletion": Deletion.objects.create(client=factories.client(), erase_on=visit.start_at.date()),
        "deletion_run": DeletionRun.objects.create(by=owner, settled_at=session.created_at),
        "restriction": restriction,
        "restricted_client": restriction.client,
        "hold": RetentionHold.objects.create(client=factories.client(), reason="x", until=visit.start_at.date()),
        "breach": Breach.objects.create(discovered_at=session.created_at, what="A list went astray", data="names"),
        "wording": ConsentText.objects.earliest("pk"),
    }
    return {name: str(row.pk) for name, row in rows.items()}
