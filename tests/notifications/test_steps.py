"""Saying No takes no more steps than saying Yes, wherever either can be said (I-34).

A step is a tick, a choice or a press that cannot be left out: for each way there is a control with one step less.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.test import Client as Browser
from django.utils import timezone

from clients import consent
from clients.models import Client, ConsentEvent
from notifications import links
from salon.core.models import Salon
from salon.core.roles import Role
from tests import factories
from tests.notifications import letters

pytestmark = pytest.mark.django_db

KIND = "mkt.promotion"
ALL = consent.MARKETING


@dataclass
class Walk:
    """One client and who acts, counting every step."""

    client: Client
    staff: Browser
    steps: int = 0

    def press(self, url: str, button: str = "") -> None:
        """Press a button of the page behind a link, or the one of the mail program."""
        self.steps += 1
        letters.browser().post(url, {button: "1"} if button else {})

    def page(self, changes: dict[str, bool], *, is_saved: bool = True) -> None:
        """Tick and untick boxes of the preference page (one step each), and save them (one more)."""
        url = letters.url(self.client)
        form = letters.ticked(letters.browser().get(url), **changes)
        self.steps += len(changes)
        if is_saved:
            self.steps += 1
            letters.browser().post(url, form)

    def card(self, answer: str, *how: str) -> None:
        """Press Yes or No on the card's front; then, if given, how the client said so."""
        url = f"/clients/{self.client.pk}/consent/"
        for extra in ({}, *({"how": one} for one in how)):
            self.steps += 1
            self.staff.post(url, {"what": "marketing", "channel": "email", "answer": answer, **extra})

    def cell(self, answer: str, *how: str) -> None:
        """The same for one cell of the table."""
        for extra in ({}, *({"how": one} for one in how)):
            self.steps += 1
            url = f"/clients/{self.client.pk}/consent/kind/"
            self.staff.post(url, {"cell": f"{KIND}:email", "answer": answer, **extra})

    def paper(self, **ticks: str) -> None:
        """Enter a signed form: the day, each box of the paper, and the press."""
        self.steps += 2 + len(ticks)
        fields = {f"mkt-{name}-email": said for name, said in ticks.items()}
        self.staff.post(f"/clients/{self.client.pk}/consent/paper/", {"signed_on": timezone.localdate().isoformat(), **fields})

    def states(self) -> set[str]:
        return {consent.standing(self.client, purpose, "email") for purpose in ALL}

    def kind(self) -> str:
        return consent.standing(self.client, KIND, "email")

    def link(self) -> None:
        """Open the link that was asked for and press its button."""
        _ask(self)
        asked = ConsentEvent.objects.filter(subject__client=self.client, event="pending").order_by("pk")[0]
        self.steps += 2
        letters.press(f"/c/{links.confirm_token(asked.pk)}/")


@pytest.fixture
def walk(salon: Salon, signed_in: Callable[[Role], Browser]) -> Callable[[bool], Walk]:
    """Return a function that gives a client who said Yes to everything, or nobody was asked."""

    def start(has_said_yes: bool) -> Walk:
        client = factories.client()
        if has_said_yes:
            letters.grant(client, at=timezone.now() - dt.timedelta(days=1))
        return Walk(client, signed_in(Role.RECEPTION))

    return start


Way = Callable[[Walk], None]
ON, OFF = ({f"mkt_{purpose[4:]}__email": is_on for purpose in ALL} for is_on in (True, False))
# By surface: the shortest Yes and the shortest No, to one kind and to all of them.
ONE: dict[str, tuple[Way, Way]] = {
    "preference page": (lambda it: it.page({"mkt_promotion__email": True}), lambda it: it.page({"mkt_promotion__email": False})),
    "table of the card": (lambda it: it.cell("yes", "in_person"), lambda it: it.cell("no")),
    "paper form": (lambda it: it.paper(promotion="yes"), lambda it: it.paper(promotion="no")),
}
EVERY: dict[str, tuple[Way, Way]] = {
    "preference page": (lambda it: it.page(ON), lambda it: it.press(letters.url(it.client), "stop")),
    "card": (lambda it: it.card("yes", "in_person"), lambda it: it.card("no")),
    "paper form": (
        lambda it: it.paper(**{purpose[4:]: "yes" for purpose in ALL}),
        lambda it: it.paper(**{purpose[4:]: "no" for purpose in ALL}),
    ),
    # By mail a Yes is a link and a button; a No is the one click of the mail program.
    "mail": (lambda it: it.link(), lambda it: it.press(letters.url(it.client))),
}


def _ask(walk: Walk) -> None:
    """Let the client have ticked everything somewhere, and the link be sent: the steps of that are not counted."""
    at = timezone.now() - dt.timedelta(hours=1)
    consent.record_many([consent.Said(walk.client, purpose, "email", "pending", "widget") for purpose in ALL], now=at)


@pytest.mark.parametrize("surface", ONE)
def test_a_no_to_one_kind_takes_no_more_steps_than_a_yes(walk: Callable[[bool], Walk], surface: str) -> None:
    (say_yes, say_no), yes, no = ONE[surface], walk(False), walk(True)
    say_yes(yes)
    say_no(no)
    assert (yes.kind(), no.kind()) == ("granted", "withdrawn")
    assert no.steps <= yes.steps


@pytest.mark.parametrize("surface", EVERY)
def test_a_no_to_everything_takes_no_more_steps_than_a_yes(walk: Callable[[bool], Walk], surface: str) -> None:
    (say_yes, say_no), yes, no = EVERY[surface], walk(False), walk(True)
    say_yes(yes)
    say_no(no)
    assert (yes.states(), no.states()) == ({"granted"}, {"withdrawn"})
    assert no.steps <= yes.steps


def test_the_steps_counted_for_a_yes_are_needed(walk: Callable[[bool], Walk]) -> None:
    """The control: with one step less nothing is agreed to, so a Yes was not counted dearer than it is."""
    for less in (
        lambda it: it.cell("yes"),
        lambda it: it.card("yes"),
        lambda it: it.page({"mkt_promotion__email": True}, is_saved=False),
        lambda it: it.page({}),
        lambda it: it.paper(),
        _ask,
    ):
        nobody = walk(False)
        less(nobody)
        assert nobody.kind() in {"unknown", "pending"}


def test_a_no_is_asked_for_no_reason_and_no_sign_in(walk: Callable[[bool], Walk]) -> None:
    it = walk(True)
    it.press(letters.url(it.client))
    assert (it.steps, it.states()) == (1, {"withdrawn"})
