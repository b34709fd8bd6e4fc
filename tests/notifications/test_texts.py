"""The salon's own texts: what may stand in them, which version was sent, and what the pages say."""

import datetime as dt
import re
from typing import Any

import pytest
from django.conf import settings
from django.test import Client as Browser
from django.utils import timezone
from hypothesis import example, given
from hypothesis import strategies as st

from notifications import dispatch, filling, kinds, planner, showing, texts
from notifications.models import Message
from notifications.plans import MessageText
from salon.core.errors import Refused
from salon.core.models import AuditEvent, Salon, User
from salon.core.roles import Role
from tests import factories
from tests.fakes.provider import FakeProvider
from tests.notifications import marketing

pytestmark = pytest.mark.django_db

PAGE = "/settings/notifications/texts/birthday/email/fr/"
REMINDER = "Bonjour[ {first_name}|], à {date} {time}."


def save(
    by: User, body: str = REMINDER, *, kind: str = "reminder", subject: str = "Le {date}", **more: Any
) -> MessageText | None:
    where = {"channel": "email", "language": "fr", **more}
    return texts.save(kind=kind, subject=subject, body=body, by=by, now=timezone.now(), **where)


def test_a_text_is_in_force_from_the_next_message_on_and_what_was_sent_names_its_version(
    sending_salon: Salon, fake: FakeProvider, now: dt.datetime, owner: User
) -> None:
    for days in (1, 2, 3):
        at = now + (days - 1) * dt.timedelta(days=1)
        factories.appointment(start_at=at + dt.timedelta(days=1), time_set_at=at - dt.timedelta(days=9), is_notice_wanted=False)
        planner.plan(at)
        dispatch.deliver_due(now=at)
        if days == 1:
            save(owner)
        else:
            texts.reset(kind="reminder", channel="email", language="fr", by=owner, now=timezone.now())
    messages = list(Message.objects.order_by("pk"))
    assert [message.attempts.get().decision["text"] for message in messages] == [0, 1, 0]
    assert messages[1].body.startswith("Bonjour Amélie, à ")
    assert messages[2].body.startswith("Bonjour Amélie,\n")
    acts = AuditEvent.objects.filter(action__startswith="text.").order_by("pk").values_list("action", "facts__number", "by")
    assert list(acts) == [("text.saved", 1, owner.pk), ("text.reset", 2, owner.pk)]


@pytest.mark.parametrize(
    ("subject", "body", "field", "says"),
    [
        ("", REMINDER, "subject", "Without a subject"),
        ("x", " \n ", "body", "Without words"),
        ("x", f"{REMINDER} {{offer_text}}", "body", "{offer_text} stands for nothing"),
        ("x", f"{REMINDER} {{unsubscribe_link}}", "body", "stands for nothing"),
        ("x", f"{REMINDER} {{salon.name}}", "body", "stands for nothing"),
        ("x", f"{REMINDER} [", "body", "A single [ cannot stand"),
        ("x", f"{REMINDER} }}", "body", "A single } cannot stand"),
        ("x", f"{REMINDER} {{legal_name}}", "body", "is empty: it is not entered"),
        ("x", "À bientôt, le {date}.", "body", "{time} has to stand in it"),
        ("x", "x" * 4001, "body", "at most 4000"),
    ],
)
def test_a_text_that_cannot_stand_is_refused_with_a_sentence(
    salon: Salon, owner: User, subject: str, body: str, field: str, says: str
) -> None:
    with pytest.raises(Refused, match=re.escape(says)) as refused:
        save(owner, body, subject=subject)
    assert refused.value.field == field
    assert not MessageText.objects.exists()


@pytest.mark.parametrize(
    ("typed", "kept", "nameless"),
    [
        ("Bonjour {first_name}, à {date} {time}.", "Bonjour[ {first_name}|], à {date} {time}.", "Bonjour, à D T."),
        ("{first_name}, le {date} {time}.", "[{first_name}, |]le {date} {time}.", "le D T."),
        (REMINDER, REMINDER, "Bonjour, à D T."),
    ],
)
def test_a_first_name_typed_plainly_is_left_out_where_there_is_none(
    salon: Salon, owner: User, typed: str, kept: str, nameless: str
) -> None:
    """I-53, without anybody learning brackets."""
    row = save(owner, typed)
    assert row is not None
    assert row.body == kept
    assert filling.fill(row.body, {"date": "D", "time": "T"}) == nameless


def test_the_second_of_two_who_edit_a_text_is_told_and_overwrites_nothing_unseen(salon: Salon, signed_in: Any) -> None:
    mine, theirs = signed_in(Role.OWNER), signed_in(Role.MANAGER)
    form = {"subject": "Bon anniversaire", "version": "0"}
    assert theirs.post(PAGE, form | {"body": "Le leur."}).status_code == 303
    answer = mine.post(PAGE, form | {"body": "Le mien."})
    assert answer.status_code == 422
    assert "Somebody changed this text meanwhile" in answer.content.decode()
    assert texts.shelf().text("birthday", "email", "fr").body == "Le leur."
    assert 'name="version" value="1"' in answer.content.decode()
    assert mine.post(PAGE, form | {"body": "Le mien.", "version": "1"}).status_code == 303


def test_the_preview_of_advertising_shows_somebody_who_said_yes_to_it(salon: Salon, owner: User, now: dt.datetime) -> None:
    """Not the newest card, whatever its answer, nor a visit of today as the last one."""
    yes = factories.client(first_name="Inès")
    marketing.says(yes, "grant", now - dt.timedelta(days=90), purpose="mkt.rebook")
    for days in (1, 50):
        for client in (yes, factories.client(first_name="Nora")):
            factories.appointment(client=client, start_at=now - dt.timedelta(days=days), state="done", is_overbooked=True)
    message, name = showing._example("rebook", "email", "fr", owner, now) or (None, "")
    assert message is not None
    assert name.startswith("Inès")
    assert message.appointment is not None
    assert message.appointment.start_at == now - dt.timedelta(days=50)


def test_where_nobody_said_yes_the_preview_says_that_it_is_an_example(salon: Salon, signed_in: Any, now: dt.datetime) -> None:
    client = factories.client(first_name="Nora")
    factories.appointment(client=client)
    browser = signed_in(Role.MANAGER)
    assert 'id="preview-unasked"' in browser.get(PAGE).content.decode()
    assert 'id="preview-unasked"' not in browser.get(PAGE.replace("birthday", "reminder")).content.decode()
    marketing.says(client, "grant", now - dt.timedelta(days=90), purpose="mkt.birthday", channel="sms")
    assert 'id="preview-unasked"' in browser.get(PAGE).content.decode(), "a Yes to SMS is none to e-mail"
    marketing.says(client, "grant", now - dt.timedelta(days=90), purpose="mkt.birthday")
    assert 'id="preview-unasked"' not in browser.get(PAGE).content.decode()


def test_the_same_text_again_is_no_new_version(salon: Salon, owner: User) -> None:
    house = texts.house("birthday", "email", "de")
    assert save(owner, house.body, kind="birthday", subject=house.subject, language="de") is None
    assert save(owner, f"{house.body} Bis bald!", kind="birthday", subject=house.subject, language="de")
    assert texts.shelf().text("birthday", "email", "de").version == 1
    assert texts.shelf().text("birthday", "email", "fr").version == 0


def test_every_text_of_the_house_could_have_been_written_by_the_salon(salon: Salon) -> None:
    """What the editor opens with can be saved as it is, but for what the profile lacks."""
    Salon.objects.update(legal_name="Atelier Nord SARL")
    for kind, channel in texts.places():
        for language, _name in settings.LANGUAGES:
            text = texts.house(kind, channel, language)
            texts.check(kind, channel, text.subject, text.body.strip(), Salon.objects.current())
            assert texts.offers_in(kind, f"{text.subject}\n{text.body}", language) == []


@pytest.mark.parametrize(
    ("language", "words"),
    [("fr", "Profitez de -20 % de remise"), ("de", "Nur heute: 20 % Rabatt"), ("en", "A great offer")],
)
def test_an_offer_in_a_text_about_a_visit_is_pointed_out(language: str, words: str) -> None:
    """I-14: the class of a text is its kind's, so nothing may be advertised in it."""
    assert texts.offers_in("reminder", words, language)
    assert not texts.offers_in("birthday", words, language)
    assert texts.offers_in("reminder", "See https://shop.example.org", language) == ["https://shop.example.org"]


@given(text=st.text(alphabet="{}[]|ab_ \n", max_size=60))
@example(text="[{|]")
@example(text="[}a|b{]")
def test_what_may_be_saved_can_be_filled_in(text: str) -> None:
    """Whatever somebody types: saved, then it reads; or refused."""
    bare = Salon(name="A", phone="", street="")
    body = f"{filling.clean(text)} x"
    try:
        texts.check("birthday", "email", "x", body, bare)
    except Refused:
        return
    assert not re.search(r"[{}\[\]|]", filling.fill(body, {"salon": "A"}))


def test_no_text_of_a_service_kind_can_name_what_is_advertising() -> None:
    for kind in kinds.TABLE.values():
        if not kind.is_by_hand and not kind.is_marketing:
            assert not set(texts.placeholders(kind.name)) & filling.OF_MARKETING


# --- the pages ----------------------------------------------------------------------------------------------------


def test_a_manager_writes_a_text_sees_it_with_a_real_client_and_takes_it_back(signed_in: Any, salon: Salon) -> None:
    factories.client(first_name="Zoé", last_name="Lang")
    browser: Browser = signed_in(Role.MANAGER)
    typed = {"subject": "Bon anniversaire", "body": "Bonjour[ {first_name}|], un bon anniversaire !"}
    shown = browser.post(PAGE, {**typed, "act": "preview"}, headers={"HX-Request": "true"})
    assert shown.status_code == 200
    assert "Bonjour Zoé, un bon anniversaire !" in shown.content.decode()
    assert "<html" not in shown.content.decode()
    assert not MessageText.objects.exists()
    assert browser.post(PAGE, typed).status_code == 303
    page = browser.get(PAGE).content.decode()
    assert "Nadia Keller" in page
    assert "Bonjour Zoé" in page
    assert browser.post(f"{PAGE}reset/").status_code == 303
    assert texts.shelf().text("birthday", "email", "fr").version == 0
    assert MessageText.objects.count() == 2


def test_a_fault_is_shown_at_its_field_and_reception_only_reads(signed_in: Any, salon: Salon) -> None:
    answer = signed_in(Role.MANAGER).post(PAGE, {"subject": "x", "body": "{birthday}"})
    assert answer.status_code == 422
    assert "{birthday} stands for nothing in this message." in answer.content.decode()
    browser = signed_in(Role.RECEPTION)
    assert 'id="text-form"' not in browser.get(PAGE).content.decode()
    assert browser.post(PAGE, {"subject": "x", "body": "y"}).status_code == 403
    assert browser.get("/settings/notifications/texts/promotion/email/fr/").status_code == 404


def test_an_sms_of_the_salon_is_short_and_shown_as_it_leaves(sending_salon: Salon, owner: User) -> None:
    factories.appointment(start_at=timezone.now() + dt.timedelta(days=1))
    said = texts.Text("", "« {date} {time} »")
    where = {"kind": "reminder", "channel": "sms", "language": "fr"}
    shown = showing.preview(**where, text=said, salon=sending_salon, user=owner, now=timezone.now())
    assert (shown.fault, shown.body[0], "-- " in shown.body) == ("", '"', False)
    with pytest.raises(Refused, match="600"):
        save(owner, REMINDER + "x" * 600, subject="", channel="sms")
