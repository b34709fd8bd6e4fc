"""Double opt-in: a Yes that the country wants confirmed waits for the client's own press, once (I-40; C5)."""

import contextlib
import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.test import Client as Browser
from django.utils import timezone
from hypothesis import example, given
from hypothesis import strategies as st

from clients import answers, consent, grid
from clients.models import Address, Client, ConsentEvent, Subject
from notifications import facts, gate, kinds, links, optin, planner, rendering
from notifications.models import Message, State
from salon.core import instance
from salon.core.errors import Refused
from salon.core.models import Salon, User
from salon.core.roles import Role
from tests import factories, people
from tests.generated import cases
from tests.notifications import letters

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
SOON = dt.timedelta(minutes=1)


@pytest.fixture
def berlin(salon: Salon, settings: Any) -> Salon:
    settings.PUBLIC_BASE_URL = ""
    row = factories.salon(country="DE", language="de", time_zone="Europe/Berlin", public_url="https://carnet.example.org")
    instance.claim(row)
    return row


@pytest.fixture
def anna(berlin: Salon) -> Client:
    return factories.client(first_name="Anna", email="anna@example.org", language="de")


def say_yes(client: Client, by: User, *, now: dt.datetime | None = None, how: str = "in_person") -> ConsentEvent:
    return answers.set_channel(client, "email", "yes", how=how, by=by, now=now)[0]


def ask(client: Client, by: User, *, now: dt.datetime | None = None, how: str = "in_person") -> Message:
    """Let the client say Yes, and plan."""
    now = now or timezone.now()
    say_yes(client, by, now=now, how=how)
    planner.plan(now + SOON)
    return Message.objects.filter(kind="doi_request", client=client).latest("pk")


def sent(message: Message) -> Message:
    """Return the message as one that was handed over."""
    hmac = consent.address_hash(message.client, message.channel) if message.client else ""
    for state in (State.CLAIMED, State.HANDOFF, State.ACCEPTED):
        Message.objects.filter(pk=message.pk).update(state=state, handoff_at=timezone.now(), address_hmac=hmac)
    message.refresh_from_db()
    return message


def path_of(event: ConsentEvent) -> str:
    return f"/c/{links.confirm_token(event.pk)}/?lang=en"


def states(client: Client) -> set[str]:
    return {consent.standing(client, purpose, "email") for purpose in consent.MARKETING}


def decision(message: Message, at: dt.datetime | None = None) -> gate.Decision:
    return gate.decide(facts.gather(message, facts.look(message)), at or timezone.now() + SOON)


def test_a_yes_told_to_staff_waits_and_one_link_leaves_after_the_undo(anna: Client, reception: User) -> None:
    now = timezone.now()
    event = say_yes(anna, reception, now=now)
    assert states(anna) == {"pending"}
    for _ in range(3):
        planner.plan(now)
    message = Message.objects.get(kind="doi_request")
    assert (message.occasion, message.client, message.channel) == (f"asked:{event.pk}", anna, "email")
    assert message.not_before == event.recorded_at + dt.timedelta(seconds=30)
    assert message.expires_at == event.recorded_at + 7 * DAY
    assert isinstance(decision(message, now + SOON), gate.Send)


@pytest.mark.parametrize("country", ["FR", "GB"])
def test_where_no_link_is_needed_none_is_sent(anna: Client, reception: User, country: str) -> None:
    Salon.objects.update(country=country)
    say_yes(anna, reception)
    planner.plan(timezone.now())
    assert states(anna) == {"granted"}
    assert not Message.objects.exists()


def test_the_mail_says_the_very_words_and_carries_nothing_of_marketing(anna: Client, reception: User, berlin: Salon) -> None:
    message = Message.objects.select_related("client").get(pk=ask(anna, reception).pk)
    words = rendering.render(message, berlin)
    for event in ConsentEvent.objects.filter(event="grant").select_related("text"):
        assert event.text is not None
        assert event.text.body.replace("{salon}", "Atelier Nord").replace("{channel}", "E-Mail") in words.body
    found = re.findall(r"https?://\S+", words.body)
    assert [url.partition("/c/")[0] for url in found] == ["https://carnet.example.org"]
    assert words.unsubscribe_url == ""
    assert not re.search(r"Abmelden|/u/|Angebot des|\{|\}", words.body)
    assert words.title == "Bitte bestätigen Sie Ihre Auswahl"


@pytest.mark.parametrize("language", ["en", "fr", "de"])
def test_the_mail_is_in_the_clients_language(anna: Client, reception: User, berlin: Salon, language: str) -> None:
    Client.objects.update(language=language)
    anna.refresh_from_db()
    words = rendering.render(Message.objects.select_related("client").get(pk=ask(anna, reception).pk), berlin)
    yes = {"en": "- Yes, ", "fr": "- Oui, Atelier Nord", "de": "- Ja, Atelier Nord"}[language]
    assert (words.language, words.body.count(yes)) == (language, 5)
    assert not re.search(r"[{}\[\]|]", words.title + words.body)


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_opening_the_link_confirms_nothing(anna: Client, reception: User, method: str) -> None:
    event = say_yes(anna, reception)
    before = letters.dump()
    for path in (path_of(event), "/c/wrong/"):
        answer = getattr(letters.browser(), method)(path)
        assert (answer.status_code, dict(answer.cookies)) == (200, {})
    assert letters.dump() == before


def test_the_press_confirms_once_and_a_second_one_changes_nothing(anna: Client, reception: User) -> None:
    event = say_yes(anna, reception)
    page = letters.browser().get(path_of(event)).content.decode()
    assert page.count("Ja, Atelier Nord darf") == 5
    answer = letters.press(path_of(event))
    assert "Confirmed" in answer.content.decode()
    assert states(anna) == {"granted"}
    lines = ConsentEvent.objects.filter(event="confirm").select_related("text")
    said = {(line.source, line.actor_type, line.evidence_level, line.text.language if line.text else "") for line in lines}
    assert (said, len(lines)) == ({("preference_page", "client", 3, "de")}, 5)
    before = letters.dump()
    again = letters.press(path_of(event))
    assert (again.status_code, "Confirmed" in again.content.decode()) == (200, True)
    assert letters.dump() == before


@pytest.mark.parametrize(("days", "is_open"), [(6.99, True), (7.0, False), (30, False)])
def test_a_link_works_for_seven_days(anna: Client, reception: User, days: float, is_open: bool) -> None:
    event = say_yes(anna, reception, now=timezone.now() - dt.timedelta(days=days))
    letters.press(path_of(event))
    assert (states(anna) == {"granted"}) is is_open


def test_late_forged_and_taken_back_links_look_the_same_and_change_nothing(anna: Client, reception: User) -> None:
    other = factories.client(language="de")
    late = say_yes(anna, reception, now=timezone.now() - 8 * DAY)
    refused = say_yes(other, reception, now=timezone.now() - DAY)
    answers.set_channel(other, "email", "no", by=reception)
    good = links.confirm_token(late.pk)
    tokens = [good, links.confirm_token(refused.pk), links.confirm_token(999_999), good[:-1], good[1:], good + "A", "x", "é",
              ("B" if good[0] != "B" else "C") + good[1:], links.token(anna, "email")]  # fmt: skip
    before, pages = letters.dump(), set()
    for token in tokens:
        for method in ("get", "post"):
            answer = getattr(letters.browser(), method)(f"/c/{token}/?lang=en")
            pages.add((answer.status_code, answer.content))
    assert letters.dump() == before
    assert len(pages) == 1
    assert b"This link does not work any more" in pages.pop()[1]


def test_a_link_of_one_use_is_no_link_of_the_other(anna: Client, reception: User) -> None:
    event = say_yes(anna, reception)
    assert links.read(links.confirm_token(event.pk)) is None
    assert links.read_confirm(links.token(anna, "email")) is None


@cases(60)
@given(number=st.integers(0, 2**63 - 1), place=st.integers(0, 33), step=st.integers(1, 63))
def test_no_other_text_is_a_link_to_confirm(number: int, place: int, step: int) -> None:
    signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    good = links.confirm_token(number)
    assert links.read_confirm(good) == number
    place %= len(good)
    altered = good[:place] + signs[(signs.index(good[place]) + step) % 64] + good[place + 1 :]
    assert links.read_confirm(altered) is None


def test_a_no_meanwhile_ends_the_request_and_takes_the_mail_back(anna: Client, reception: User) -> None:
    message = ask(anna, reception)
    event = ConsentEvent.objects.get(pk=optin.event_of(message.occasion))
    answers.set_channel(anna, "email", "no", by=reception)
    assert decision(message) == gate.Refuse(("answered",))
    planner.plan(timezone.now())
    message.refresh_from_db()
    assert (message.state, message.reason) == (State.CANCELLED, "answered")
    letters.press(path_of(event))
    assert states(anna) == {"withdrawn"}


def test_an_undone_slip_sends_no_link_and_an_undone_no_sends_it_after_all(anna: Client, reception: User) -> None:
    message = ask(anna, reception)
    noes = answers.set_channel(anna, "email", "no", by=reception)
    planner.plan(timezone.now())
    consent.void_many([event.pk for event in noes], by=reception)
    planner.plan(timezone.now())
    message.refresh_from_db()
    assert message.state == State.PENDING
    consent.void_many(list(ConsentEvent.objects.filter(event="grant").values_list("pk", flat=True)), by=reception)
    planner.plan(timezone.now())
    message.refresh_from_db()
    assert message.state == State.CANCELLED


def test_another_address_gets_no_link_of_a_yes_for_the_old_one(anna: Client, reception: User) -> None:
    message = ask(anna, reception)
    Client.objects.filter(pk=anna.pk).update(email="other@example.org")
    anna.refresh_from_db()
    assert decision(Message.objects.select_related("client").get(pk=message.pk)) == gate.Refuse(("answered",))
    letters.press(path_of(ConsentEvent.objects.get(pk=optin.event_of(message.occasion))))
    assert "granted" not in states(anna)


def test_a_better_proof_sends_no_second_link_and_the_first_still_works(anna: Client, reception: User) -> None:
    first = ask(anna, reception, now=timezone.now() - DAY)
    sent(first)
    say_yes(anna, reception, how="paper_form")
    planner.plan(timezone.now())
    assert Message.objects.filter(kind="doi_request").count() == 1
    letters.press(path_of(ConsentEvent.objects.get(pk=optin.event_of(first.occasion))))
    assert states(anna) == {"granted"}


def cell(client: Client, by: User, purpose: str, answer: str = "yes", *, now: dt.datetime | None = None) -> None:
    """Let the client answer for one kind alone, as the table of the card takes it."""
    grid.set_one(client, purpose, "email", answer, how="in_person", by=by, now=now)


def waits(client: Client) -> set[str]:
    return {purpose for purpose in consent.MARKETING if consent.standing(client, purpose, "email") == "pending"}


def on_page(path: str) -> dict[str, str]:
    """The kinds that the page behind a link asks to confirm, each with the line that its form would send."""
    found = letters.browser().get(path).context["found"]
    return {line.purpose: str(line.pk) for line in found.lines} if found else {}


def shown(path: str) -> set[str]:
    return set(on_page(path))


def test_what_is_entered_cell_by_cell_is_one_link_for_all_of_it(anna: Client, reception: User, berlin: Salon) -> None:
    now = timezone.now()
    for number, purpose in enumerate(consent.MARKETING):
        cell(anna, reception, purpose, now=now + number * dt.timedelta(seconds=10))
        planner.plan(now + number * dt.timedelta(seconds=10))
    assert Message.objects.filter(kind="doi_request", state=State.PENDING).count() == 1
    message = Message.objects.select_related("client").get(state=State.PENDING)
    assert message.not_before == now + dt.timedelta(seconds=70), "half a minute after the last of them"
    assert rendering.render(message, berlin).body.count("- Ja, Atelier Nord") == 5
    letters.press(path_of(ConsentEvent.objects.get(pk=optin.event_of(message.occasion))))
    assert states(anna) == {"granted"}


def test_a_second_yes_is_covered_by_the_link_that_is_out_already(anna: Client, reception: User) -> None:
    now = timezone.now()
    cell(anna, reception, "mkt.promotion", now=now - 2 * DAY)
    planner.plan(now - 2 * DAY + SOON)
    first = sent(Message.objects.get())
    path = path_of(ConsentEvent.objects.get(pk=optin.event_of(first.occasion)))
    stale = [str(line.pk) for line in letters.browser().get(path).context["found"].lines]
    cell(anna, reception, "mkt.review", now=now)
    planner.plan(now + SOON)
    assert Message.objects.count() == 1
    assert shown(path) == {"mkt.promotion", "mkt.review"}
    letters.browser().post(path, {"line": stale})
    assert waits(anna) == {"mkt.review"}, "what was not on the page is not confirmed"
    letters.press(path)
    assert waits(anna) == set()


def test_a_yes_after_the_link_was_used_gets_one_of_its_own(anna: Client, reception: User) -> None:
    cell(anna, reception, "mkt.promotion", now=timezone.now() - DAY)
    planner.plan(timezone.now() - DAY + SOON)
    first = sent(Message.objects.get())
    Message.objects.filter(pk=first.pk).update(handoff_at=timezone.now() - DAY + SOON)
    letters.press(path_of(ConsentEvent.objects.get(pk=optin.event_of(first.occasion))))
    cell(anna, reception, "mkt.review")
    planner.plan(timezone.now() + SOON)
    second = Message.objects.exclude(pk=first.pk).get()
    assert isinstance(decision(second), gate.Send)
    letters.press(path_of(ConsentEvent.objects.get(pk=optin.event_of(second.occasion))))
    assert {purpose for purpose in consent.MARKETING if consent.standing(anna, purpose, "email") == "granted"} == {
        "mkt.promotion", "mkt.review",
    }  # fmt: skip


def test_a_yes_that_outlives_the_link_that_covered_it_gets_another(anna: Client, reception: User) -> None:
    start = timezone.now() - 6 * DAY
    cell(anna, reception, "mkt.promotion", now=start)
    planner.plan(start + SOON)
    first = sent(Message.objects.get())
    Message.objects.filter(pk=first.pk).update(handoff_at=start + SOON)
    cell(anna, reception, "mkt.review", now=start + 5 * DAY)
    planner.plan(start + 6 * DAY)
    assert Message.objects.count() == 1
    planner.plan(start + 7 * DAY + SOON)
    second = Message.objects.exclude(pk=first.pk).get()
    assert second.expires_at == start + 12 * DAY


def test_two_links_on_their_way_at_once_are_one(anna: Client, reception: User) -> None:
    """A sender has the first in hand when the second Yes is recorded: the gate sees to the rest."""
    first = ask(anna, reception, now=timezone.now() - DAY)
    Message.objects.filter(pk=first.pk).update(state=State.CLAIMED)
    consent.record(anna, purpose="mkt.review", channel="email", event="grant", source="phone", by=reception)
    planner.plan(timezone.now() + SOON)
    second = Message.objects.exclude(pk=first.pk).get()
    assert isinstance(decision(second), gate.Send), "control: alone it would leave"
    Message.objects.filter(pk=first.pk).update(
        state=State.HANDOFF, handoff_at=timezone.now(), address_hmac=consent.address_hash(anna, "email")
    )
    assert decision(second) == gate.Refuse(("duplicate",))


# --- whatever is said and pressed, in any order -------------------------------------------------------------------

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["yes", "yes", "yes", "no", "press", "press old", "stale press", "stop", "wait"]),
        st.sampled_from(consent.MARKETING[:3]), st.sampled_from([1, 30, 60 * 24, 60 * 24 * 3]),
    ),
    min_size=1, max_size=9,
)  # fmt: skip


@cases(20)
@given(steps=STEPS)
@example(
    steps=[("yes", "mkt.review", 1), ("wait", "mkt.review", 1), ("yes", "mkt.birthday", 1), ("stale press", "mkt.review", 1)]
)
def test_every_yes_that_waits_has_a_link_and_only_what_was_shown_and_pressed_in_time_counts(
    berlin: Salon, steps: list[tuple[str, str, int]]
) -> None:
    """I-40. The oracle keeps its own list of who said what when; it reads of the program only mails and pages."""
    by, real = people.user_with(Role.RECEPTION), timezone.now()
    with time_machine.travel(real, tick=False) as clock:
        Client.objects.all().delete()
        Message.objects.all().delete()
        client = factories.client(language="de")
        said: dict[str, dt.datetime] = {}  # what waits, since when
        yes: set[str] = set()
        mails: list[tuple[str, dt.datetime]] = []  # where each link leads, and when it was asked for
        opened: tuple[str, dict[str, str]] = ("", {})
        for act, purpose, minutes in steps:
            clock.shift(dt.timedelta(minutes=minutes))
            now = timezone.now()
            is_open = {one for one, at in said.items() if now - at < 7 * DAY}
            path, asked_at = ("", now) if not mails else (mails[0] if act == "press old" else mails[-1])
            if act == "yes":
                with contextlib.suppress(Refused):
                    cell(client, by, purpose)
                    if purpose not in yes and purpose not in is_open:
                        said[purpose] = now
            elif act in {"no", "stop"}:
                gone = {purpose} if act == "no" else set(consent.MARKETING)
                yes -= gone
                said = {one: at for one, at in said.items() if one not in gone}
                if act == "no":
                    cell(client, by, purpose, "no")
                else:
                    letters.browser().post(letters.url(client))
            elif act == "stale press" and opened[0]:
                fresh = on_page(opened[0])
                letters.browser().post(opened[0], {"line": list(opened[1].values())})
                yes |= {one for one, line in opened[1].items() if fresh.get(one) == line}
            elif act.startswith("press") and path:
                assert shown(path) == (is_open if now - asked_at < 7 * DAY else set())
                yes |= shown(path)
                letters.press(path)
            said = {one: at for one, at in said.items() if one not in yes}
            if path and act == "wait":
                opened = path, on_page(path)
            leave(client, mails)
            assert {one for one in consent.MARKETING if consent.standing(client, one, "email") == "granted"} == yes
            assert waits(client) == set(said)
        for one, at in said.items():
            if timezone.now() - at < 7 * DAY:
                assert any(one in shown(path) for path, _at in mails), f"{one} waits and has no link"
        times = [at for _path, at in mails]
        assert all(sum(at <= other < at + 7 * DAY for other in times) <= optin.LINKS_MAX for at in times)


def leave(client: Client, mails: list[tuple[str, dt.datetime]]) -> None:
    """Let planner and gate do their part, and a minute later what waits be handed over."""
    now = timezone.now()
    planner.plan(now + SOON)
    for message in Message.objects.filter(state=State.PENDING).select_related("client"):
        if isinstance(decision(message, now + SOON), gate.Send):
            event = ConsentEvent.objects.get(pk=optin.event_of(message.occasion))
            hmac = consent.address_hash(client, "email")
            for state in (State.CLAIMED, State.HANDOFF, State.ACCEPTED):
                Message.objects.filter(pk=message.pk).update(state=state, handoff_at=now, address_hmac=hmac)
            mails.append((path_of(event), event.recorded_at))


def test_an_import_asks_nobody(anna: Client) -> None:
    consent.record(anna, purpose="mkt.promotion", channel="email", event="grant", source="import", evidence_level=2)
    assert consent.standing(anna, "mkt.promotion", "email") == "pending"
    planner.plan(timezone.now())
    assert not Message.objects.exists()


def test_without_a_public_address_the_link_waits_for_one(anna: Client, reception: User) -> None:
    now = timezone.now()
    Salon.objects.update(public_url="")
    say_yes(anna, reception, now=now)
    planner.plan(now)
    assert not Message.objects.exists()
    Salon.objects.update(public_url="https://carnet.example.org")
    planner.plan(now + DAY)
    message = Message.objects.get()
    Salon.objects.update(public_url="http://carnet.example.org")
    assert decision(message) == gate.Refuse(("no_public_address",))


def test_the_link_is_repeated_once_by_the_button(anna: Client, reception: User) -> None:
    with pytest.raises(Refused):
        optin.again(anna, by=reception, now=timezone.now())
    message = ask(anna, reception, now=timezone.now() - DAY)
    with pytest.raises(Refused, match="on its way"):
        optin.again(anna, by=reception, now=timezone.now())
    sent(message)
    optin.again(anna, by=reception, now=timezone.now())
    repeat = Message.objects.latest("pk")
    assert (repeat.occasion, repeat.state) == (f"{message.occasion}:again", State.PENDING)
    planner.plan(timezone.now())
    repeat.refresh_from_db()
    assert repeat.state == State.PENDING
    assert isinstance(decision(repeat), gate.Send)
    with pytest.raises(Refused, match="on its way"):
        optin.again(anna, by=reception, now=timezone.now())
    sent(repeat)
    with pytest.raises(Refused, match="sent twice"):
        optin.again(anna, by=reception, now=timezone.now())
    assert Message.objects.filter(kind="doi_request").count() == 2


def test_after_seven_days_the_yes_can_be_recorded_anew(anna: Client, reception: User) -> None:
    sent(ask(anna, reception, now=timezone.now() - 8 * DAY))
    Message.objects.update(handoff_at=timezone.now() - 8 * DAY)
    assert answers.front(anna, "email").is_late
    assert say_yes(anna, reception) is not None
    planner.plan(timezone.now())
    assert Message.objects.filter(kind="doi_request").count() == 2
    assert not answers.front(anna, "email").is_late


def test_a_request_already_confirmed_is_not_asked_again(anna: Client, reception: User) -> None:
    event = say_yes(anna, reception)
    letters.press(path_of(event))
    assert answers.set_channel(anna, "email", "yes", how="in_person", by=reception) == []
    planner.plan(timezone.now())
    assert states(anna) == {"granted"}
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    ("fields", "reason"),
    [({"inactive_at": 1}, "inactive"), ({"restricted_at": 1}, "restricted"), ({"erased_at": 1}, "erased"),
     ({"birth_year": 2015}, "minor")],
)  # fmt: skip
def test_whom_no_link_reaches(anna: Client, reception: User, fields: dict[str, Any], reason: str) -> None:
    message = ask(anna, reception)
    now = timezone.now()
    Client.objects.filter(pk=anna.pk).update(**{name: now if value == 1 else value for name, value in fields.items()})
    found = decision(Message.objects.select_related("client").get(pk=message.pk))
    assert isinstance(found, gate.Refuse)
    assert found.reasons[0] == reason


def test_the_blacklist_and_a_pause_do_not_hold_the_link_back(anna: Client, reception: User) -> None:
    message = ask(anna, reception)
    Client.objects.filter(pk=anna.pk).update(blacklisted_at=timezone.now(), marketing_paused_until=timezone.now() + DAY)
    assert isinstance(decision(message), gate.Send)


@pytest.mark.parametrize(
    ("scope", "reason", "is_before", "expected"),
    [
        ("marketing", "object", True, None), ("marketing", "object", False, "marketing_objection"),
        ("all", "stop", True, None), ("all", "stop", False, "channel_stop"), ("all", "object", True, "suppressed_all"),
        ("delivery", "hard_bounce", True, "invalid_address"),
    ],
)  # fmt: skip
def test_a_stopped_address_gets_one_link_only_if_it_was_asked_for_after_the_stop(
    anna: Client, reception: User, scope: str, reason: str, is_before: bool, expected: str | None
) -> None:
    now = timezone.now()
    message = ask(anna, reception, now=now - dt.timedelta(hours=1))
    stopped_at = now - DAY if is_before else now
    hmac = consent.address_hash(anna, "email")
    Address.objects.update_or_create(
        channel="email", hmac=hmac, defaults={"scope": scope, "reason": reason, "stopped_at": stopped_at}
    )
    found = decision(message)
    assert (found.reasons[0] if isinstance(found, gate.Refuse) else None) == expected
    message.occasion += ":again"
    assert isinstance(decision(message), gate.Refuse)


def test_a_confirmed_yes_lifts_the_stop_of_the_address_it_came_through(anna: Client, reception: User) -> None:
    sister = factories.client(email=anna.email)
    letters.browser().post(letters.url(sister))
    event = say_yes(anna, reception)
    letters.press(path_of(event))
    assert states(anna) == {"granted"}
    assert states(sister) == {"withdrawn"}
    assert Address.objects.get(hmac=consent.address_hash(anna, "email")).scope == ""


def test_the_link_follows_a_merge_and_ends_with_erasure(anna: Client, reception: User) -> None:
    event = say_yes(anna, reception)
    stays = factories.client(email=anna.email)
    Subject.objects.filter(client=anna).update(client=stays)
    letters.press(path_of(event))
    assert states(stays) == {"granted"}
    second = say_yes(factories.client(), reception)
    Subject.objects.filter(pk=second.subject_id).update(client=None)
    before = letters.dump()
    assert b"does not work any more" in letters.press(path_of(second)).content
    assert letters.dump() == before


def test_the_card_says_what_a_waiting_yes_waits_for(anna: Client, reception: User, signed_in: Callable[[Role], Browser]) -> None:
    say_yes(anna, reception)
    browser = signed_in(Role.RECEPTION)
    url = f"/clients/{anna.pk}/"
    assert f"/clients/{anna.pk}/link/" in browser.get(url).content.decode()
    Salon.objects.update(public_url="")
    assert f"/clients/{anna.pk}/link/" not in browser.get(url).content.decode()
    answer = browser.post(f"/clients/{anna.pk}/link/", follow=True)
    assert "adresse publique" in answer.content.decode() or "public address" in answer.content.decode()


def test_a_link_page_signs_nobody_in_and_sets_no_cookie(anna: Client, reception: User) -> None:
    event = say_yes(anna, reception)
    for answer in (letters.browser().get(path_of(event)), letters.press(path_of(event))):
        assert (answer.headers["Referrer-Policy"], dict(answer.cookies)) == ("no-referrer", {})


def test_the_kind_is_no_marketing_and_has_no_switch() -> None:
    kind = kinds.TABLE["doi_request"]
    assert (kind.kind_class, kind.is_marketing, kind.is_by_hand) == ("system", False, True)
    assert "doi_request" not in facts.switches()
