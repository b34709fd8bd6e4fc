"""The Django admin: for owners with a second factor; it shows every table, changes nothing behind an operation's back."""

import datetime as dt
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.admin.models import LogEntry
from django.db import IntegrityError, connection, models, transaction
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.text import capfirst

from appointments.models import Appointment, OwnRhythm, Service, Staff, StaffDay, UsualStaff
from clients import consent, records
from clients.models import (
    Address,
    Blacklisting,
    Client,
    ClientContact,
    ClientLink,
    ConsentEvent,
    ConsentEvidence,
    Erasure,
    ExistingRule,
    ExportPart,
    HealthNote,
    ImportedCard,
    Merge,
    MergedHealthNote,
    OpenedCard,
    OutsideCopy,
    Processing,
    RetentionHold,
    RetentionRule,
    RetentionWarning,
    RightsRequest,
    SignedForm,
    Subject,
    Tag,
)
from notifications.models import (
    Attempt,
    CampaignRecipient,
    Change,
    Heartbeat,
    Mailbox,
    MailServer,
    Message,
    OtherSystem,
    Provider,
    ProviderEvent,
    Received,
    SmsAccount,
    SmsTest,
    State,
)
from notifications.plans import MessageText, ReminderException, ReminderTime
from salon.core import backoffice, privacy, secrets, team
from salon.core.backoffice import Editing, site
from salon.core.errors import Refused
from salon.core.models import AuditEvent, Notice, Salon, SetupLink, User
from salon.core.roles import Role
from tests import factories, people

pytestmark = pytest.mark.django_db
EDITED = {User, Service, Staff}
NOW = dt.datetime(2026, 11, 18, 12, tzinfo=dt.UTC)
SECRETS = {
    "server-password-x1": "the mail server's",
    "mailbox-password-x1": "the mailbox's",
    "key-secret-x1": "the SMS account's",
    "auth-token-x1": "the SMS account's",
    "hash-of-the-setup-link": "the set-up link's",
    "JBSWY3DPEHPK3PXP": "the app's",
    "whsec_seen-by-nobody": "another system's",
    "whsec_nor-this": "another system's before",
}
NOTES = {
    "Reacts to ammonia": "health",
    "Allergic to PPD": "client",
    "Cried in the chair": "visit",
    "Said so on a napkin": "evidence",
    "Threw a comb": "blacklist",
}


def registered() -> list[type[models.Model]]:
    return list(site._registry)


def url(model: type[models.Model], page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


@pytest.fixture
def keeper(owner: User) -> Browser:
    """Olivia with her second factor, who gave her password a moment ago."""
    TOTP.activate(owner, "JBSWY3DPEHPK3PXP")
    RecoveryCodes.activate(owner)
    browser = Browser()
    browser.post("/accounts/login/", {"login": owner.email, "password": people.PASSWORD})
    browser.force_login(owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    session = browser.session
    session["account_authentication_methods"] = [{"method": "password", "at": timezone.now().timestamp(), "email": owner.email}]
    session.save()
    return browser


@pytest.fixture
def rows(owner: User, things: dict[str, str]) -> None:
    """A row in every table, with what must not be seen."""
    client = Client.objects.get(pk=things["client"])
    Client.objects.filter(pk=client.pk).update(note="Allergic to PPD")
    Appointment.objects.update(note="Cried in the chair")
    event = consent.record(client, by=owner, purpose="mkt.promotion", channel="email", event="grant", source="in_person")
    ConsentEvidence.objects.update_or_create(event=event, defaults={"note": "Said so on a napkin"})
    OpenedCard.objects.create(user=owner, client=client)
    message = Message.objects.get(pk=things["message"])
    Attempt.objects.create(message=message, lease_token="0" * 32, at=NOW, outcome="accepted")
    Mailbox.objects.create(host="imap.example.org", user="u", password="mailbox-password-x1")
    MailServer.objects.create(host="mail.example.org", user="u", password="server-password-x1", sender="a@example.org")
    SmsAccount.objects.create(
        account_sid="AC1", key_sid="SK1", key_secret="key-secret-x1", auth_token="auth-token-x1", sender="+33757000000"
    )
    SmsTest.objects.create(at=NOW, by=owner, segments=1, cost="0.08")
    ExistingRule.objects.create(country="FR", channel="email", switched_on_at=NOW, by=owner)
    ProviderEvent.objects.create(provider="twilio", provider_id="SM1", status="delivered", message=message, at=NOW)
    StaffDay.objects.create(staff=Staff.objects.all()[0], on=NOW.date())
    Address.objects.get_or_create(channel="email", hmac=secrets.address_hash("email", "anybody@example.org"))
    SetupLink.objects.create(token_hash="hash-of-the-setup-link")
    Provider.objects.create(name="smtp")
    Heartbeat.objects.create(name="plan", at=NOW)
    Tag.objects.create(name="Regular", folded="regular")
    ClientContact.objects.create(client=client, channel="email", address="second@example.org")
    other = factories.client()
    ClientLink.objects.create(client=client, other=other, kind="partner")
    Blacklisting.objects.create(client=client, reason="other", words="Threw a comb")
    HealthNote.objects.create(client=client, text="Reacts to ammonia", written_by=owner)
    SignedForm.objects.create(subject=event.subject, signed_on=NOW.date(), content_type="image/jpeg", data=b"a signature")
    ImportedCard.objects.create(source_id=things["import"], client=client, is_new=True)
    ExportPart.objects.create(source_id=things["export"], number=1, data=b"cells of many people")
    CampaignRecipient.objects.get_or_create(campaign_id=things["campaign"], client=client)
    UsualStaff.objects.create(client=client, staff=Staff.objects.all()[0])
    erasure = Erasure.objects.create(at=NOW, ground="asked")
    OutsideCopy.objects.create(erasure=erasure, provider="sms", reference="SM1", next_at=NOW)
    RightsRequest.objects.create(client=client, kind="copy", received_on=NOW.date(), known_by="document")
    RetentionRule.objects.create(pk="clients", months=36)
    RetentionWarning.objects.create(client=client, code="clients", warned_on=NOW.date(), erase_on=NOW.date())
    RetentionHold.objects.create(client=client, reason="A claim", until=NOW.date())
    Processing.objects.create(pk="cards", purpose="x")
    OwnRhythm.objects.create(client=client, weeks=5)
    time, _ = ReminderTime.objects.get_or_create(slot=1, defaults={"days_before": 1, "at": dt.time(10)})
    ReminderException.objects.create(time=time, client=client, is_on=False)
    MessageText.objects.create(kind="birthday", channel="email", language="fr", version=1, subject="x", body="y")
    Notice.objects.create(user=owner, code="import.done", facts={"new": 1})
    merge = Merge.objects.create(winner=client, taken_in=[0], by=owner, snapshot=b"what stood on the cards")
    MergedHealthNote.objects.create(merge=merge, card=0, text="Reacts to ammonia", written_at=NOW, written_by=owner)
    Change.objects.create(client_number=client.pk)
    Received.objects.create(system_id=things["system"], event_id="evt_1")
    OtherSystem.objects.filter(way="connected").update(secret="whsec_seen-by-nobody", old_secret="whsec_nor-this")


def pages(keeper: Browser) -> dict[str, str]:
    """Return every page of the admin by path: index, lists, a search, and the first row of each table."""
    paths = [reverse("admin:index")]
    for model in registered():
        first = model._default_manager.order_by("pk").first()
        paths += [url(model, "changelist"), f"{url(model, 'changelist')}?q=a"]
        paths += [url(model, "change", first.pk)] if first else []
        paths += [url(model, "add")] if model in EDITED else []
    answers = {path: keeper.get(path) for path in paths}
    assert {path: answer.status_code for path, answer in answers.items() if answer.status_code != 200} == {}
    return {path: answer.content.decode() for path, answer in answers.items()}


# --- the door -----------------------------------------------------------------------------------------------------


def test_every_table_is_called_in_the_readers_language(keeper: Browser, owner: User) -> None:
    """On the first page, above its list, and nowhere by the plural that Django makes of a class."""
    User.objects.filter(pk=owner.pk).update(language="fr")
    index = keeper.get(reverse("admin:index")).content.decode()
    for model in registered():
        with translation.override("fr"):
            called = capfirst(str(model._meta.verbose_name_plural))
        assert called in unescape(index), model
    title = keeper.get(url(OwnRhythm, "changelist")).content.decode()
    assert "<h1>Rythmes propres des clients</h1>" in title
    for word in ("Own rhythm", "own rhythm", ">Appointments<", "Mailboxs", "Replys"):
        assert word not in index + title


def test_every_model_is_there() -> None:
    assert set(privacy.our_models()) == set(registered())


def test_an_owner_without_a_second_factor_is_led_to_it_even_where_the_salon_asks_for_none(
    owner: User, salon: Salon, signed_in: Callable[[Role], Browser]
) -> None:
    Salon.objects.update(is_mfa_required=False)
    browser = signed_in(Role.OWNER)
    for path in ("/admin/", url(Client, "changelist")):
        answer = browser.get(path)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/accounts/mfa/totp/activate/")
    assert "second factor only" in browser.get("/accounts/mfa/totp/activate/", follow=True).content.decode()
    TOTP.activate(owner, "JBSWY3DPEHPK3PXP")
    assert browser.get("/admin/").status_code == 200


@pytest.mark.parametrize("role", [Role.MANAGER, Role.RECEPTION, Role.STYLIST])
def test_no_other_role_enters_even_with_a_second_factor(role: Role, signed_in: Callable[[Role], Browser]) -> None:
    browser = signed_in(role)
    TOTP.activate(people.user_with(role), "JBSWY3DPEHPK3PXP")
    assert {browser.get(url(model, "changelist")).status_code for model in registered()} == {403}
    assert browser.get("/admin/").status_code == 403


def test_the_admin_has_no_door_of_its_own(db: None, salon: Salon) -> None:
    answer = Browser().get("/admin/")
    assert answer.headers["Location"].startswith("/accounts/login/")
    answer = Browser().post("/admin/login/", {"username": "olivia@example.org", "password": people.PASSWORD})
    assert answer.headers["Location"].startswith("/accounts/login/")


def test_an_act_asks_for_the_password_again_after_five_minutes(keeper: Browser, salon: Salon) -> None:
    session = keeper.session
    session["account_authentication_methods"][0]["at"] -= 301
    session.save()
    data = {"action": "pause_all_sending", "_selected_action": [1], "index": 0}
    answer = keeper.post(url(Salon, "changelist"), data)
    assert answer.headers["Location"].startswith("/accounts/reauthenticate/")
    assert Salon.objects.get().delivery == Salon.Delivery.LIVE


# --- what it shows ------------------------------------------------------------------------------------------------


def test_every_page_opens_and_says_where_the_everyday_way_is(keeper: Browser, rows: None) -> None:
    assert [model.__name__ for model in registered() if not model._default_manager.exists()] == []
    for path, html in pages(keeper).items():
        note = re.search(r'<p class="everyday" role="note">(.*?)</p>', html, re.DOTALL)
        assert note, path
        assert len(note[1].split()) > 4, path


@pytest.mark.parametrize(
    ("model", "question"),
    [
        (User, "password__startswith=argon2"), (Client, "note__icontains=e"), (Client, "note=x"), (Address, "hmac__startswith=a"),
        (Subject, "client__note__contains=e"), (Salon, "instance__startswith=a"),
    ],
)  # fmt: skip
def test_what_no_page_shows_cannot_be_spelt_out_by_the_address_bar(
    keeper: Browser, rows: None, model: type[models.Model], question: str
) -> None:
    answer = keeper.get(url(model, "changelist") + "?" + question)
    assert answer.status_code == 400 or "?e=1" in answer.headers.get("Location", ""), "asked and answered"


def test_no_page_shows_a_secret_or_a_note(keeper: Browser, rows: None, owner: User) -> None:
    owner.refresh_from_db()
    codes = RecoveryCodes(Authenticator.objects.get(type="recovery_codes")).get_unused_codes()
    hidden = {*SECRETS, *NOTES, owner.password, secrets.address_hash("email", "anybody@example.org"), *codes}
    for path, html in pages(keeper).items():
        assert [text for text in hidden if text in html] == [], path


def test_the_look_for_secrets_would_find_one(keeper: Browser, rows: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoffice, "HIDDEN", frozenset())
    for table in site._registry.values():
        monkeypatch.setattr(table, "hidden", frozenset())
    everything = "".join(pages(keeper).values())
    assert "server-password-x1" in everything
    assert set(NOTES) <= {note for note in NOTES if note in everything}


def test_nothing_of_other_apps_is_there(keeper: Browser) -> None:
    html = keeper.get("/admin/").content.decode()
    assert {model._meta.app_label for model in registered()} == set(privacy.OURS)
    assert not [word for word in ("Authenticator", "Group", "Session", "EmailAddress") if f">{word}" in html]


def test_a_list_costs_the_same_however_many_rows_it_has(keeper: Browser, rows: None, reception: User) -> None:
    def counts() -> dict[str, int]:
        found = {}
        for model in registered():
            with CaptureQueriesContext(connection) as queries:
                assert keeper.get(url(model, "changelist")).status_code == 200
            found[model.__name__] = len(queries)
        return found

    counts()
    few = counts()
    for number in range(5):
        visit = factories.appointment(client=factories.client(), start_at=NOW + dt.timedelta(days=number))
        message = Message.objects.create(
            kind="reminder", channel="email", client=visit.client, appointment=visit, occasion=f"more{number}",
            not_before=NOW, expires_at=NOW,
        )  # fmt: skip
        Attempt.objects.create(message=message, lease_token=f"{number}" * 32, at=NOW)
        assert visit.client is not None
        consent.record(visit.client, by=reception, purpose="mkt.promotion", channel="email", event="withdraw", source="phone")
    many = counts()
    assert {name: (few[name], many[name]) for name in few if many[name] > few[name]} == {}
    assert max(many.values()) <= 16


def test_clients_are_found_as_on_the_everyday_page(keeper: Browser, reception: User) -> None:
    records.add(by=reception, first_name="Jürgen", last_name="Groß", phone="+33612447890")
    records.add(by=reception, first_name="Noor", last_name="Haddad")
    for text in ("gross", "06 12 44"):
        html = keeper.get(url(Client, "changelist"), {"q": text}).content.decode()
        assert "Groß" in html
        assert "Haddad" not in html


# --- what it changes ----------------------------------------------------------------------------------------------


def values(row: models.Model) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_no_row_of_an_operation_is_changed_added_or_deleted_by_a_post(keeper: Browser, rows: None) -> None:
    for model in set(registered()) - EDITED:
        before = [values(row) for row in model._default_manager.order_by("pk")]
        first = model._default_manager.order_by("pk").first()
        assert first is not None
        data = dict.fromkeys(values(first), "x")
        changed = keeper.post(url(model, "change", first.pk), {**data, "_save": "1"})
        assert changed.status_code == 403, model
        start = url(model, "changelist")
        for path in (f"{start}add/", f"{start}{first.pk}/delete/"):
            assert keeper.post(path, {**data, "post": "yes"}).status_code == 404, path
        keeper.post(start, {"action": "delete_selected", "_selected_action": [first.pk], "post": "yes", "index": 0})
        after = [values(row) for row in model._default_manager.order_by("pk")]
        if model is not AuditEvent:
            assert after == before, model


def test_the_same_post_changes_what_can_be_edited(keeper: Browser) -> None:
    service = factories.service(name="Cut")
    data = {"name": "Dry cut", "category": "", "duration_minutes": 40, "price": "35.00", "rebook_weeks": "", "position": 3}
    assert keeper.post(url(Service, "change", service.pk), data).status_code == 302
    service.refresh_from_db()
    assert (service.name, service.duration_minutes, service.position) == ("Dry cut", 40, 3)
    event = AuditEvent.objects.get(action="service.edit")
    assert set(event.facts["fields"]) >= {"name", "position"}
    assert keeper.post(url(Service, "add"), {**data, "name": "Wash"}).status_code == 302
    assert AuditEvent.objects.filter(action="service.add", subject_id=Service.objects.get(name="Wash").pk).exists()


def test_what_the_operation_refuses_is_refused_here_too(keeper: Browser) -> None:
    factories.service(name="Cut")
    other = factories.service(name="Colour")
    data = {"name": "Cut", "category": "", "duration_minutes": 40, "price": "35.00", "rebook_weeks": "", "position": 3}
    answer = keeper.post(url(Service, "change", other.pk), data, follow=True)
    assert "already offered" in answer.content.decode()
    other.refresh_from_db()
    assert other.name == "Colour"


def test_staff_is_changed_without_losing_the_hours(keeper: Browser) -> None:
    person = factories.staff()
    hours = list(person.hours.values_list("weekday", "starts_at", "ends_at"))
    assert hours
    data = {"name": "Renamed", "color": 4, "user": "", "position": 2}
    assert keeper.post(url(Staff, "change", person.pk), data).status_code == 302
    person.refresh_from_db()
    assert (person.name, list(person.hours.values_list("weekday", "starts_at", "ends_at"))) == ("Renamed", hours)


def test_a_member_is_changed_by_the_operations_of_the_team(keeper: Browser) -> None:
    lea = people.user_with(Role.STYLIST)
    data = {"name": "Léa M.", "role": "reception", "language": "fr", "is_active": ""}
    assert keeper.post(url(User, "change", lea.pk), data).status_code == 302
    lea.refresh_from_db()
    assert (lea.name, lea.role, lea.language, lea.is_active) == ("Léa M.", "reception", "fr", False)
    actions = set(AuditEvent.objects.filter(subject_type="core.user", subject_id=lea.pk).values_list("action", flat=True))
    assert actions >= {"team.edited", "team.role_changed", "team.deactivated"}


def test_a_new_member_is_invited_and_has_no_password(keeper: Browser) -> None:
    data = {"email": "new@example.org", "name": "Pia", "role": "stylist", "language": "de"}
    answer = keeper.post(url(User, "add"), data)
    pia = User.objects.get(email="new@example.org")
    assert answer.headers["Location"] == reverse("core:link", args=[pia.pk])
    assert not pia.has_usable_password()


@pytest.mark.parametrize("way", ["form", "action"])
def test_the_last_owner_stays(keeper: Browser, owner: User, way: str) -> None:
    if way == "form":
        data = {"name": owner.name, "role": "stylist", "language": "en", "is_active": ""}
        answer = keeper.post(url(User, "change", owner.pk), data, follow=True)
    else:
        data = {"action": "deactivate", "_selected_action": str(owner.pk), "index": "0"}
        answer = keeper.post(url(User, "changelist"), data, follow=True)
    assert "Nobody changes their own place" in answer.content.decode()
    owner.refresh_from_db()
    assert (owner.role, owner.is_active) == (Role.OWNER, True)


def test_a_second_owner_can_be_deactivated_and_the_first_then_not(keeper: Browser, owner: User) -> None:
    other = User.objects.create_user("other@example.org", people.PASSWORD, name="Otto", role=Role.OWNER)
    keeper.post(url(User, "changelist"), {"action": "deactivate", "_selected_action": [other.pk], "index": 0})
    other.refresh_from_db()
    assert not other.is_active
    with pytest.raises(Refused, match="Only an owner"):
        team.deactivate(owner, by=other)


def test_all_sending_is_paused_and_resumed_with_a_line_in_the_audit(keeper: Browser, salon: Salon) -> None:
    for action, delivery in (("pause_all_sending", "hold"), ("resume_sending", "live")):
        keeper.post(url(Salon, "changelist"), {"action": action, "_selected_action": [1], "index": 0})
        assert Salon.objects.get().delivery == delivery
        assert AuditEvent.objects.filter(action="salon.delivery_changed", facts__delivery=delivery).count() == 1


def test_a_plan_is_made_at_once(keeper: Browser, rows: None) -> None:
    assert keeper.get(url(Message, "plan")).status_code == 405
    assert keeper.post(url(Message, "plan")).status_code == 303
    assert AuditEvent.objects.filter(action="plan.made").exists()


def test_a_waiting_message_is_stopped_and_one_that_left_is_not(keeper: Browser, things: dict[str, str]) -> None:
    gone = Message.objects.get(pk=things["message"])
    waiting = Message.objects.create(
        kind="reminder", channel="email", client=gone.client, occasion="w", not_before=NOW, expires_at=NOW
    )
    data = {"action": "stop", "_selected_action": [gone.pk, waiting.pk], "index": 0}
    keeper.post(url(Message, "changelist"), data)
    gone.refresh_from_db()
    waiting.refresh_from_db()
    assert (gone.state, waiting.state) == (State.UNKNOWN, State.CANCELLED)


def test_no_line_of_the_ledger_is_changed_or_deleted_through_the_admin_or_below_it(keeper: Browser, rows: None) -> None:
    event = ConsentEvent.objects.first()
    assert event is not None
    assert keeper.post(url(ConsentEvent, "change", event.pk), {"event": "withdraw", "_save": "1"}).status_code == 403
    html = keeper.get(url(ConsentEvent, "changelist")).content.decode()
    assert "delete_selected" not in html
    listed = site._registry[ConsentEvent].get_queryset(keeper.get("/admin/").wsgi_request)
    with pytest.raises(IntegrityError), transaction.atomic():
        listed.update(event="withdraw")
    with pytest.raises(IntegrityError), transaction.atomic():
        listed.filter(pk=event.pk)._raw_delete("default")
    assert ConsentEvent.objects.get(pk=event.pk).event == "grant"


def test_the_admin_keeps_no_log_of_its_own(keeper: Browser) -> None:
    lea = people.user_with(Role.STYLIST)
    keeper.post(url(User, "change", lea.pk), {"name": "Léa M.", "role": lea.role, "language": "fr", "is_active": "on"})
    service = factories.service(name="Cut")
    data = {"name": "Dry cut", "category": "", "duration_minutes": 40, "price": "35.00", "rebook_weeks": "", "position": 3}
    keeper.post(url(Service, "change", service.pk), data)
    keeper.post(url(Service, "add"), {**data, "name": "Wash"})
    assert AuditEvent.objects.filter(action__in=["team.edited", "service.edit", "service.add"]).count() == 3
    assert not LogEntry.objects.exists()


def test_only_what_has_an_operation_for_it_is_edited() -> None:
    assert {model for model, model_admin in site._registry.items() if isinstance(model_admin, Editing)} == EDITED


def test_the_admin_lives_under_the_strict_policy_of_the_house(keeper: Browser, rows: None) -> None:
    everyday = keeper.get("/settings/").headers["Content-Security-Policy"]
    assert keeper.get(url(Client, "changelist")).headers["Content-Security-Policy"] == everyday
    for path, html in pages(keeper).items():
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=\"", html), path
        assert all("src=" in tag or "type=" in tag for tag in re.findall(r"<script[^>]*>", html)), path
