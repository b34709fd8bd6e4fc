"""A restricted card is only kept: every page walked as each role, with a canary in every text about the client."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from appointments.models import Appointment
from clients import records, rights
from clients.models import Client, DuplicatePair, Merge, Restriction
from notifications.models import CampaignRecipient, Message, Reply
from salon.core.models import User
from salon.core.roles import Role
from tests import factories
from tests.clients import canaries
from tests.house.permissions import LEAD, TABLE
from tests.house.test_permissions import NOT_YET, path_of

HTMX = {"HX-Request": "true"}
# Where those who serve a client's rights see the card: its own place. What the client writes since is theirs to answer.
THEIR_PLACE = {
    "clients:restricted", "clients:restricted_card", "clients:lift", "clients:data", "clients:restrict", "clients:correction",
    "notifications:replies",
}  # fmt: skip
# What the page of a copy, a merge or an import may not even be asked for, since the walk opens them by the card.
TABS = ("waiting", "sent", "failed", "stopped")


class World:
    """A client with canaries everywhere, who came three days ago and comes today and tomorrow."""

    def __init__(self, things: dict[str, str], by: User) -> None:
        values, self.found = canaries.card()
        self.client = records.add(by=by, **values)
        self.first_name = values["first_name"]
        now = timezone.now()
        visit = Appointment.objects.get(pk=things["visit"])
        noted = canaries.word()
        self.found[noted] = "appointments.appointment.note"
        Appointment.objects.filter(pk=visit.pk).update(client=self.client, note=noted)
        rest: dict[str, Any] = {"client": self.client, "staff": visit.staff, "service": visit.service, "note": noted}
        noon = timezone.localtime(now).replace(hour=12, minute=0, second=0, microsecond=0)
        self.past = factories.appointment(**rest, start_at=noon - dt.timedelta(days=3), state="done")
        self.today = factories.appointment(**rest, start_at=noon)
        for model in (Message, CampaignRecipient, Reply):
            model.objects.update(client=self.client)
        said = canaries.word()
        self.found[said] = "notifications.reply.body"
        Reply.objects.update(body=said)
        Merge.objects.filter(pk=things["merge"]).update(winner=self.client)
        DuplicatePair.objects.filter(pk=things["pair"]).update(high=self.client)
        things["client"] = things["restricted_client"] = str(self.client.pk)
        self.things = things

    def restrict(self, by: User) -> None:
        given: dict[str, Any] = {"reason": "disputed", "note": "", "until": None, "known_by": "in_person"}
        row = rights.restrict(self.client, by=by, now=timezone.now(), **given)
        self.things["restriction"] = str(row.pk)

    def paths(self, role: Role) -> dict[str, str]:
        """Return every page that the role may open, by a name, and those that an address with a question leads to."""
        names = [name for name, row in TABLE.items() if row.method == "get" and role in row.roles and name not in NOT_YET]
        found = {name: path_of(name, self.things) for name in names if not name.startswith(("admin:", "account_", "mfa_"))}
        days = {"past": self.past, "today": self.today, "tomorrow": Appointment.objects.get(pk=self.things["visit"])}
        for name, visit in days.items():
            found[f"day {name}"] = f"/calendar/{timezone.localtime(visit.start_at).date()}/"
            for page in ("", "move/", "cancel/"):
                found[f"visit {name} {page}"] = f"/appointments/{visit.pk}/{page}"
        found["book"] = f"/calendar/new/?client={self.client.pk}"
        for path in ("/search/?q=", "/clients/?q=", "/clients/?status=all&q=", "/settings/activity/?q="):
            for text in (self.client.last_name, str(self.client.phone)[-6:], self.client.email):
                found[f"{path}{text}"] = f"{path}{text}"
        if role in TABLE["notifications:list"].roles:
            found |= {f"tab {tab}": f"/messages/?tab={tab}" for tab in TABS}
            found["of client"] = f"/messages/?client={self.client.pk}"
        return found

    def shown(self, browser: Browser, role: Role) -> dict[str, set[str]]:
        """Return what is shown of the client, by the page: the fields of the canaries that stand in an answer."""
        seen: dict[str, set[str]] = {}
        for name, path in self.paths(role).items():
            for headers in ({}, HTMX):
                answer = browser.get(path, headers=headers)
                text = (b"" if answer.streaming else answer.content).decode("utf-8", "replace").replace("<wbr>", "")
                # What was searched for stands in the box and in links: that is the reader's word and not the card's.
                asked = path.partition("q=")[2]
                fields = {where for one, where in self.found.items() if one in text and one not in asked}
                seen[name] = seen.get(name, set()) | fields
        return {name: fields for name, fields in seen.items() if fields}


@pytest.fixture
def world(things: dict[str, str], owner: User) -> World:
    return World(things, owner)


def greeted() -> set[str]:
    """Return the pages on which the first name stands: of visits that are still to be done."""
    return {f"day {day}" for day in ("today", "tomorrow")} | {
        f"visit {day} {page}" for day in ("today", "tomorrow") for page in ("", "move/", "cancel/")
    }


@pytest.mark.parametrize("role", [*Role])
def test_a_restricted_card_is_named_nowhere_but_in_its_place(
    role: Role, world: World, owner: User, signed_in: Callable[[Role], Browser]
) -> None:
    world.restrict(owner)
    shown = world.shown(signed_in(role), role)
    first = {"clients.client.first_name"}
    leaked = {
        name: fields - first for name, fields in shown.items() if fields - first and not (role in LEAD and name in THEIR_PLACE)
    }
    assert leaked == {}
    by_first = {name for name, fields in shown.items() if first <= fields} - (THEIR_PLACE if role in LEAD else set())
    named = {"appointments:detail", "appointments:move", "appointments:cancel"}  # the visit of tomorrow, by the walk
    # Today's calendar, and where Léa may only look at what is hers.
    assert by_first <= greeted() | named | {"appointments:today", "appointments:day", "core:activity"}
    assert {"day today", "day tomorrow", "visit today "} <= by_first


@pytest.mark.parametrize("role", [Role.OWNER, Role.STYLIST])
def test_the_walk_sees_the_same_client_before(role: Role, world: World, signed_in: Callable[[Role], Browser]) -> None:
    shown = world.shown(signed_in(role), role)
    everybody = {"clients:card", "day past", "visit past ", "appointments:of_client", "clients:list"}
    desk = {"notifications:unknown", "notifications:replies", "notifications:campaign", "clients:edit", "clients:duplicates"}
    assert everybody <= shown.keys()
    if role is Role.OWNER:
        assert desk <= shown.keys()
        assert {"notifications:resend", "clients:delete", "core:activity"} <= shown.keys()


def test_managers_see_the_card_in_its_place_and_the_desk_does_not(
    world: World, owner: User, signed_in: Callable[[Role], Browser]
) -> None:
    world.restrict(owner)
    path = f"/clients/{world.client.pk}/"
    manager = signed_in(Role.MANAGER)
    answer = manager.get(path)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{path}restricted/")
    page = manager.get(answer.headers["Location"]).content.decode().replace("<wbr>", "")
    for text in (world.client.last_name, world.client.email, world.client.note, world.client.street):
        assert text in page
    assert f"/clients/restricted/{Restriction.objects.get(client=world.client).pk}/end/" in page
    desk = signed_in(Role.RECEPTION)
    assert desk.get(path).status_code == 404
    assert desk.get(f"{path}restricted/").status_code == 403
    # Of a card that is not restricted there is no such page.
    assert manager.get(f"/clients/{factories.client().pk}/restricted/").status_code == 404


def test_a_visit_of_a_restricted_card_can_be_moved_and_cancelled_and_nothing_written(
    world: World, owner: User, signed_in: Callable[[Role], Browser]
) -> None:
    world.restrict(owner)
    desk, visit = signed_in(Role.RECEPTION), world.today
    answer = desk.post(f"/appointments/{visit.pk}/note/", {"note": "likes tea", "version": str(visit.version)})
    assert answer.status_code == 409
    assert "only kept" in answer.content.decode()
    assert desk.post(f"/appointments/{visit.pk}/status/", {"to": "arrived", "version": str(visit.version)}).status_code == 303
    visit.refresh_from_db()
    assert visit.state == "arrived"
    book = {"client": str(world.client.pk), "service": str(visit.service_id), "staff": str(visit.staff_id), "key": "k"}
    when = {"on": (timezone.localdate() + dt.timedelta(days=2)).isoformat(), "time": "10:00"}
    assert desk.post("/calendar/new/", {**book, **when, "act": "book"}).status_code == 422
    assert Appointment.objects.filter(client=world.client).count() == 3


def test_a_card_that_waits_for_its_erasure_is_not_named_in_the_calendar(
    world: World, signed_in: Callable[[Role], Browser]
) -> None:
    Appointment.objects.exclude(pk=world.past.pk).delete()
    Client.objects.filter(pk=world.client.pk).update(inactive_at=timezone.now(), inactive_reason=Client.DELETING)
    day = timezone.localtime(world.past.start_at).date()
    for path in (f"/calendar/{day}/", f"/appointments/{world.past.pk}/"):
        page = signed_in(Role.OWNER).get(path).content.decode()
        assert [where for one, where in world.found.items() if one in page] == []
        assert "Deleted client" in page
