"""Forgetting a person: nothing of them is left but what must stay, and the figures are as they were."""

import contextlib
import datetime as dt
import json
from collections.abc import Iterator
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.db import OperationalError, connection, transaction
from django.db.models import Count, Sum
from django.utils import timezone

from appointments.models import Appointment
from clients import addresses, consent, invariants, records, tagging
from clients.erasure import act, again, journal, schema
from clients.importing import jobs
from clients.merging import merges
from clients.models import Address, Client, ConsentEvent, Erasure, Export, ExportPart, Import, Standing, Subject, Tag
from salon.core import privacy
from salon.core.models import User
from salon.core.privacy import Fate
from tests import factories
from tests.clients import canaries

pytestmark = pytest.mark.django_db
ASKED = Erasure.Ground.ASKED


def field_of(model: Any, name: str) -> Any:
    return model._meta.get_field(name)


def full(owner: User, **fields: Any) -> tuple[Client, dict[str, str]]:
    """A client with something in every table, beside another one who has the same visits."""
    factories.appointment(state="done", start_at=timezone.now() - dt.timedelta(days=9))
    values, found = canaries.card(**fields)
    client = records.add(by=owner, **values)
    found |= canaries.fill(client)
    word = canaries.word()
    tagging.add({client.pk}, name=word, by=owner, now=timezone.now())
    found[word] = "clients.tag.name"
    return client, found


def figures() -> list[Any]:
    rows = Appointment.objects.values("start_at__date", "staff", "service", "state").annotate(n=Count("pk"), sum=Sum("price"))
    return sorted(map(str, rows.order_by()))


def erase(client: Client, owner: User, **given: Any) -> Erasure | None:
    return act.erase(client, ground=ASKED, by=owner, now=timezone.now(), **given)


def test_no_table_holds_a_canary_after_the_erasure(owner: User) -> None:
    client, found = full(owner)
    assert len(found) > 30
    assert len(set(canaries.left(found).values())) > 10  # the control: it finds them where they are
    erase(client, owner)
    assert canaries.left(found) == {}


def test_places_without_a_subject_let_go_of_the_person_too(owner: User) -> None:
    client, found = full(owner)
    name, mail = client.last_name, client.email
    factories.imported(f"Name,E-mail\n{name},\n", by=owner)
    factories.imported(f"First,Last,E-mail\n,,{mail}\n", by=owner)
    other = factories.imported("Name,Phone\nBen Low,06 12 34 99 88\n", by=owner)
    factories.exported(by=owner, text=name, purpose=f"for {name}")
    Export.objects.create(state="handed", preset="contacts", who="all", status="active", sort="name", purpose=f"card of {name}")
    session, bare = SessionStore(), SessionStore()
    session["_messages"] = json.dumps([["__json_message", 0, 25, f"{name} ist gespeichert.", ""]])
    session["wanted"] = f"/clients/{client.pk}/other/"
    session["_auth_user_id"] = "1"
    bare["wanted"] = "/clients/"
    session.save()
    bare.save()
    erase(client, owner)
    kept = SessionStore(session_key=session.session_key)
    assert dict(kept.load()) == {"_auth_user_id": "1"}
    assert SessionStore(session_key=bare.session_key)["wanted"] == "/clients/"
    assert not ExportPart.objects.exists()
    assert not Export.objects.exclude(text="", purpose="").exists()
    assert [row.pk for row in Import.objects.exclude(sheet=b"")] == [other.pk]
    assert canaries.left(found) == {}


def test_an_import_that_names_them_and_runs_is_waited_for(owner: User) -> None:
    client, found = full(owner)
    row = factories.imported(f"Name,E-mail\nAnn,{client.email}\n", by=owner, state=Import.State.RUNNING)
    with pytest.raises(Exception, match="import"):
        erase(client, owner)
    assert not Erasure.objects.exists()
    assert journal.entries() == []
    Import.objects.filter(pk=row.pk).update(state=Import.State.DONE)
    assert erase(client, owner) is not None
    assert canaries.left(found) == {}


def test_the_figures_are_as_before_and_nothing_points_nowhere(owner: User) -> None:
    client, _found = full(owner)
    visit = factories.appointment(client=client, state="done", price=Decimal("61.50"), note="allergic")
    before = figures()
    erase(client, owner)
    visit.refresh_from_db()
    assert figures() == before
    assert (visit.client, visit.note, visit.price) == (None, "", Decimal("61.50"))
    connection.check_constraints()


def test_what_the_ledger_says_stays_without_the_person(owner: User) -> None:
    client = factories.client()
    now = timezone.now()
    event = consent.record(
        client, purpose="mkt.promotion", channel="email", event="grant", source="paper_form", note="on the blue form", by=owner
    )
    subject = Subject.objects.get(client=client)
    erasure = erase(client, owner)
    kept = ConsentEvent.objects.get(pk=event.pk)
    subject.refresh_from_db()
    assert (kept.event, kept.purpose, kept.address_hmac) == ("grant", "mkt.promotion", event.address_hmac)
    assert subject.client is None
    assert not hasattr(kept, "evidence")
    assert not Standing.objects.filter(client=client).exists()
    assert erasure is not None
    assert {line["what"] for line in erasure.kept} >= {"ledger", "marks"}
    assert client.last_name not in json.dumps([erasure.tables, erasure.kept])
    assert now <= erasure.at


def test_whoever_comes_back_gets_no_marketing_and_a_stop_is_never_weakened(owner: User) -> None:
    first, second = factories.client(), factories.client()
    addresses.stop("sms", str(first.phone), scope="all", reason="stop", now=timezone.now())
    addresses.stop("email", second.email, scope="delivery", reason="hard_bounce", now=timezone.now())
    email, phone = first.email, str(first.phone)
    erase(first, owner)
    erase(second, owner)
    rows = {(row.channel, row.hmac): (row.scope, row.reason) for row in Address.objects.all()}
    assert rows["email", addresses.hash_of("email", email)] == ("marketing", "erased")
    assert rows["sms", addresses.hash_of("sms", phone)] == ("all", "stop")
    assert rows["email", addresses.hash_of("email", second.email)][0] == "all"
    back = records.add(by=owner, first_name="Ann", email=email.upper(), phone=phone)
    assert addresses.is_shut("email", consent.address_hash(back, "email"))
    row = jobs.bring_in(f"Name,E-mail,Newsletter\nAnn Lee,{second.email},yes\n".encode(), "l.csv", by=owner, now=timezone.now())
    assert row.state == Import.State.DONE
    again_there = Client.objects.get(email=second.email)
    assert addresses.is_shut("email", consent.address_hash(again_there, "email"))


def test_the_nightly_check_finds_what_was_left_of_somebody(owner: User) -> None:
    client = factories.client()
    erase(client, owner)
    assert list(invariants.faults()) == []
    Client.objects.filter(pk=client.pk).update(note="still here")
    client.contacts.create(channel="email", address="second@example.org")
    words = list(invariants.faults())
    assert [line.split(":")[0] for line in words] == [f"client {client.pk}", f"clients.clientcontact {client.contacts.get().pk}"]
    assert "still here" not in " ".join(words)


def test_to_erase_twice_changes_nothing(owner: User) -> None:
    client = factories.client()
    assert erase(client, owner) is not None
    assert erase(client, owner) is None
    assert Erasure.objects.count() == 1
    assert len(journal.entries()) == 1


def test_a_card_that_was_taken_in_goes_with_the_one_that_took_it(owner: User) -> None:
    client, found = full(owner)
    taken = Client.objects.create(erased_at=timezone.now(), merged_into=client, note=canaries.word())
    deeper = Client.objects.create(erased_at=timezone.now(), merged_into=taken, note=canaries.word())
    found |= {taken.note: "taken", deeper.note: "deeper"}
    erase(client, owner)
    assert canaries.left(found) == {}
    assert [pk for pk, _made in journal.entries()[0].cards] == [client.pk, taken.pk, deeper.pk]


def test_a_tag_that_others_have_stays(owner: User) -> None:
    client, other = factories.client(), factories.client()
    for name, ids in (("regular", {client.pk, other.pk}), ("the aunt of Paul", {client.pk})):
        tagging.add(ids, name=name, by=owner, now=timezone.now())
    erase(client, owner)
    assert list(Tag.objects.values_list("name", flat=True)) == ["regular"]


def test_a_restored_card_is_erased_again_and_nobody_else(owner: User) -> None:
    client = factories.client()
    made_at, phone = client.created_at, str(client.phone)
    erase(client, owner)
    Erasure.objects.all().delete()
    Address.objects.all().delete()
    # The backup: the same row as it was. And a number that was given to somebody else since.
    Client.objects.filter(pk=client.pk).update(
        first_name="Amélie", last_name="Bertrand", phone=phone, erased_at=None, search_text="amelie bertrand"
    )
    innocent = factories.client()
    written = journal.Entry(journal.entries()[0].case, timezone.now(), "asked", [(innocent.pk, made_at)], [])
    journal.write(written)
    found = again.erase(timezone.now())
    client.refresh_from_db()
    innocent.refresh_from_db()
    assert (found.known, found.again, found.is_whole) == (2, 1, True)
    assert client.erased_at is not None
    assert (client.last_name, str(client.phone)) == ("", "")
    assert innocent.erased_at is None
    assert addresses.is_shut("sms", addresses.hash_of("sms", phone))
    assert again.erase(timezone.now()).again == 0


def test_a_merged_person_is_erased_again_after_a_restore_whichever_card_was_older(owner: User) -> None:
    older, younger = factories.cards([{"first_name": "Ann", "phone": "+33612447890"}, {"first_name": "Ann"}], by=owner)
    Client.objects.filter(pk=older.pk).update(created_at=timezone.now() - dt.timedelta(days=900))
    backup = list(Client.objects.filter(pk__in=[older.pk, younger.pk]))
    merges.merge([older.pk, younger.pk], main=younger.pk, by=owner, now=timezone.now())
    younger.refresh_from_db()
    erase(younger, owner)
    Erasure.objects.all().delete()
    for card in backup:
        card.save()
    assert again.erase(timezone.now()).again == 2
    assert not Client.objects.filter(erased_at=None, pk__in=[older.pk, younger.pk]).exists()


@contextlib.contextmanager
def commit_of_unknown_outcome(*, is_done: bool) -> Iterator[None]:
    """A transaction of which nobody hears how it ended: it is committed, or given up."""
    with contextlib.suppress(ZeroDivisionError), transaction.atomic():
        yield
        if not is_done:
            raise ZeroDivisionError
    raise OperationalError


@contextlib.contextmanager
def no_database() -> Iterator[None]:
    for _ in range(1):
        raise OperationalError
    yield


@pytest.mark.parametrize(("is_done", "is_there", "stands"), [(True, True, True), (False, True, False), (False, False, True)])
def test_a_line_of_the_journal_is_voided_only_where_the_database_says_that_it_gave_up(
    is_done: bool, is_there: bool, stands: bool, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = factories.client()
    then = [commit_of_unknown_outcome(is_done=is_done), transaction.atomic() if is_there else no_database()]
    monkeypatch.setattr(act, "transaction", SimpleNamespace(atomic=lambda: then.pop(0)))
    with pytest.raises(OperationalError):
        erase(client, owner)
    client.refresh_from_db()
    assert (client.erased_at is not None, bool(journal.entries())) == (is_done, stands)


def test_the_journal_notices_a_line_that_was_cut_or_changed(owner: User) -> None:
    for _count in range(3):
        erase(factories.client(), owner)
    path = journal.path()
    whole = path.read_text()
    assert journal.is_whole()
    lines = whole.splitlines()  # two of each: that it begins, and that it is done
    path.write_text("\n".join([*lines[:2], *lines[4:]]) + "\n")
    assert not journal.is_whole()
    path.write_text("\n".join(lines[:5])[:-30])
    assert (journal.is_whole(), len(journal.entries())) == (False, 2)
    erase(factories.client(), owner)
    assert len(journal.entries()) == 3
    assert factories.client().last_name not in path.read_text()


def test_an_erasure_that_fails_is_taken_back_in_the_journal(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client, _found = full(owner)

    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(schema, "scrub", broken)
    with pytest.raises(RuntimeError):
        erase(client, owner)
    client.refresh_from_db()
    assert client.erased_at is None
    assert client.last_name
    assert journal.entries() == []


def test_every_table_about_a_person_has_an_end() -> None:
    for model in privacy.our_models():
        said: Any = model.__dict__["Privacy"]
        fate = privacy.fate(model)
        near = said.subject.split("__")[0] if said.subject else ""
        if fate is Fate.EMPTIED:
            for name in said.erase - {field.name for field in model._meta.local_many_to_many}:
                privacy.empty_value(field_of(model, name))  # raises where it cannot be emptied
        if said.subject and said.subject != "id" and "__" not in said.subject and fate is Fate.EMPTIED:
            assert near in said.erase, f"{model._meta.label}: its rows would still lead to the person"
        links = [field for field in model._meta.concrete_fields if field.related_model is Client]
        assert not links or said.subject is not None, f"{model._meta.label} points at a client and has no subject"
        if said.subject is None and said.erase:
            assert model._meta.label_lower in WHOLE, f"{model._meta.label} holds people without a subject: empty it in `loose`"


WHOLE = {"clients.import", "clients.export", "clients.exportpart"}


def test_the_guard_sees_a_table_that_would_still_lead_to_the_person() -> None:
    class Privacy:
        subject = "client"
        erase = {"note"}
        keep = {"id", "client"}

    assert privacy.fate(type("Row", (), {"Privacy": Privacy})) is Fate.DELETED
    with pytest.raises(TypeError):
        privacy.empty_value(field_of(Appointment, "start_at"))
