"""What an export holds: whom, which columns, and that nothing in it does harm or is lost."""

import datetime as dt
import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import python_calamine
from django.core.management import CommandError, call_command
from django.utils import timezone, translation
from hypothesis import given
from hypothesis import strategies as st

from clients import addresses, answers, consent, contacts, countries, fold, records, tags
from clients.exporting import columns, exports, people
from clients.exporting.people import Wanted
from clients.importing import jobs
from clients.models import Client, ConsentEvent, Export, Standing
from salon.core.errors import Refused
from salon.core.models import AuditEvent, Salon, User
from salon.core.roles import Role
from tests import factories
from tests import people as cast
from tests.generated import cases

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 18, 13, 30, tzinfo=dt.UTC)


def given_out(user: User, wanted: Wanted, purpose: str = "", now: dt.datetime = NOW) -> io.BytesIO:
    _row, content = exports.hand_over(wanted, purpose=purpose, by=user, salon=Salon.objects.current(), now=now)
    return io.BytesIO(content.read())


def rows_of(file: io.BytesIO) -> list[dict[str, Any]]:
    """Return the rows of the first sheet by the names of their columns, as calamine reads them."""
    file.seek(0)
    header, *rows = python_calamine.load_workbook(file).get_sheet_by_index(0).to_python()
    return [dict(zip(map(str, header), row, strict=True)) for row in rows]


def row_of(file: io.BytesIO, last_name: str, title: str = "Last name") -> dict[str, Any]:
    return next(row for row in rows_of(file) if row[title] == last_name)


def about_of(file: io.BytesIO) -> dict[str, Any]:
    file.seek(0)
    return {row[0]: row[1] for row in openpyxl.load_workbook(file).worksheets[1].iter_rows(values_only=True)}


def names(file: io.BytesIO, title: str = "Last name") -> list[str]:
    return [row[title] for row in rows_of(file)]


def left(user: User, wanted: Wanted, channel: str) -> people.LeftOut:
    salon = Salon.objects.current()
    return people.left_out(people.listed(user, salon, wanted, now=NOW), channel, salon=salon, now=NOW)


@pytest.fixture
def book(reception: User) -> list[Client]:
    """Four people: everything known, a name only, a number only, and one from abroad."""
    ids = records.add_many(
        [
            {
                "first_name": "Amélie", "last_name": "Bertrand", "phone": "+33688210411", "email": "amelie@example.org",
                "birth_day": 4, "birth_month": 4, "birth_year": 1991, "street": "12 rue des Lilas", "postcode": "01003",
                "city": "Lyon", "country": "FR", "language": "fr", "note": "=1+1\nlikes tea",
            },
            {"last_name": "Çelik", "birth_day": 1, "birth_month": 8},
            {"phone": "+33612447890"},
            {"first_name": "Jürgen", "last_name": "Groß", "phone": "+491713004127", "birth_year": 1980, "language": "de"},
        ],
        by=reception, now=NOW,
    )  # fmt: skip
    return list(Client.objects.filter(pk__in=ids).order_by("pk"))


def say_yes(client: Client, channel: str = "email", *, how: str = "paper_form", by: User) -> None:
    answers.set_channel(client, channel, "yes", how=how, by=by, now=NOW)


# --- what is in it ------------------------------------------------------------------------------------------------


def test_every_field_of_a_card_is_in_a_file_or_left_out_with_a_reason() -> None:
    fields = {field.name for field in Client._meta.concrete_fields}
    shown = {name for column in columns.of(columns.EVERYTHING) for name in column.fields}
    assert shown | set(columns.LEFT_OUT) == fields
    assert shown & set(columns.LEFT_OUT) == set()
    assert all(columns.LEFT_OUT.values())


def test_everything_is_the_whole_card_with_dates_as_dates_and_phones_as_text(owner: User, book: list[Client]) -> None:
    for word in ("regular", "bridal"):
        tags.add(book[0], name=word, by=owner)
    contacts.add(book[0], channel="sms", address="+33478000111", label="work", by=owner)
    contacts.add(book[0], channel="email", address="office@example.org", label="", by=owner)
    amelie = row_of(given_out(owner, Wanted("everything")), "Bertrand")
    assert amelie == {
        "First name": "Amélie", "Last name": "Bertrand", "Phone": "06 88 21 04 11", "E-mail": "amelie@example.org",
        "Street": "12 rue des Lilas", "Postcode": "01003", "Town": "Lyon", "Country": "France", "Language": "French",
        "Date of birth": dt.date(1991, 4, 4), "Client note": "=1+1\nlikes tea", "Tags": "bridal; regular",
        "Further contacts": "04 78 00 01 11; office@example.org",
        "Likes to be reached by": "", "Found us through": "",
        "Marketing by e-mail": "Not asked",
        "Marketing by SMS": "Not asked", "Reminders by e-mail": "Yes", "Client since": dt.date(2026, 11, 18), "Last visit": "",
        "Next appointment": "", "Next appointment with": "", "Inactive since": "", "On the blacklist since": "",
    }  # fmt: skip


def test_a_day_of_birth_without_its_year_is_in_words_and_a_year_alone_a_number(owner: User, book: list[Client]) -> None:
    born = {row["Last name"]: row["Date of birth"] for row in rows_of(given_out(owner, Wanted("everything")))}
    assert (born["Çelik"], born["Groß"]) == ("1 August", 1980.0)


def test_visits_are_in_the_file_in_the_salons_time(owner: User, book: list[Client]) -> None:
    done = NOW - dt.timedelta(days=9, hours=-9, minutes=-45)  # 23:15 in London, past midnight in Lyon
    factories.appointment(client=book[0], start_at=done, state="done", staff=factories.staff(name="Marco"))
    factories.appointment(client=book[0], start_at=NOW + dt.timedelta(days=2), staff=factories.staff(name="Ines"))
    amelie = row_of(given_out(owner, Wanted("everything")), "Bertrand")
    assert amelie["Last visit"] == dt.date(2026, 11, 10)
    assert amelie["Next appointment"] == dt.datetime(2026, 11, 20, 14, 30)  # noqa: DTZ001 (a sheet knows no zones)
    assert amelie["Next appointment with"] == "Ines"


def test_the_file_speaks_the_readers_language(owner: User, book: list[Client]) -> None:
    owner.language = "fr"
    file = given_out(owner, Wanted("everything"))
    assert row_of(file, "Bertrand", "Nom")["Prénom"] == "Amélie"
    assert {row["Date de naissance"] for row in rows_of(file)} >= {"1er août"}
    assert translation.get_language() == "en"


def test_the_order_and_the_people_are_those_of_the_list(owner: User, book: list[Client]) -> None:
    Client.objects.filter(pk=book[3].pk).update(inactive_at=NOW)
    assert names(given_out(owner, Wanted("contacts"))) == ["", "Bertrand", "Çelik"]
    assert names(given_out(owner, Wanted("contacts", sort="-name"))) == ["Çelik", "Bertrand", ""]
    assert names(given_out(owner, Wanted("contacts", status="inactive"))) == ["Groß"]
    assert names(given_out(owner, Wanted("contacts", text="0411"))) == ["Bertrand"]
    assert names(given_out(owner, Wanted("contacts", ids=(book[3].pk, book[1].pk)))) == ["Çelik", "Groß"]


def test_the_forgotten_and_the_restricted_are_in_no_file(owner: User, book: list[Client]) -> None:
    Client.objects.filter(pk=book[0].pk).update(restricted_at=NOW)
    Client.objects.filter(pk=book[1].pk).update(erased_at=NOW)
    assert names(given_out(owner, Wanted("everything"))) == ["", "Groß"]
    with pytest.raises(Refused):
        given_out(owner, Wanted("everything", ids=(book[0].pk,)))


def test_the_second_sheet_says_what_when_by_whom_by_which_filter_and_what_for(owner: User, book: list[Client]) -> None:
    about = about_of(given_out(owner, Wanted("contacts", text="bertrand"), purpose="=HYPERLINK(1)"))
    assert about["Clients"] == 1
    assert (about["Made by"], about["Purpose"], about["Search"]) == ("Olivia Moreau", "=HYPERLINK(1)", "bertrand")
    assert (about["Columns"], about["List"], about["Who"]) == ("Contact list", "Active", "All")
    assert about["Made on"] == dt.datetime(2026, 11, 18, 14, 30)  # noqa: DTZ001


def test_who_goes_while_a_file_is_written_is_not_in_it(owner: User, book: list[Client]) -> None:
    salon, wanted = Salon.objects.current(), Wanted("contacts")
    ids = people.ids_of(people.listed(owner, salon, wanted, now=NOW))
    Client.objects.filter(pk=book[0].pk).update(erased_at=NOW)
    chunks = list(people.read(owner, salon, wanted, ids, now=NOW))
    assert [person.card.pk for chunk in chunks for person in chunk] == [book[2].pk, book[1].pk, book[3].pk]


# --- marketing ----------------------------------------------------------------------------------------------------


def test_a_marketing_file_holds_only_who_said_yes(owner: User, reception: User, book: list[Client]) -> None:
    amelie = book[0]
    with pytest.raises(Refused, match="nothing to export"):
        given_out(owner, Wanted("marketing"))
    say_yes(amelie, by=reception)
    assert names(given_out(owner, Wanted("marketing"))) == ["Bertrand"]
    assert list(rows_of(given_out(owner, Wanted("marketing")))[0]) == ["First name", "Last name", "E-mail", "Language"]
    answers.set_channel(amelie, "email", "no", by=reception, now=NOW + dt.timedelta(hours=1))
    with pytest.raises(Refused):
        given_out(owner, Wanted("marketing"))


def test_a_yes_to_one_channel_is_none_to_the_other(owner: User, reception: User, book: list[Client]) -> None:
    say_yes(book[0], "sms", by=reception)
    assert names(given_out(owner, Wanted("contacts", who="sms"))) == ["Bertrand"]
    for wanted in (Wanted("contacts", who="email"), Wanted("marketing", who="sms"), Wanted("marketing")):
        with pytest.raises(Refused):
            given_out(owner, wanted)


def test_a_no_to_one_kind_keeps_somebody_out(owner: User, reception: User, book: list[Client]) -> None:
    say_yes(book[0], by=reception)
    consent.record(book[0], purpose="mkt.review", channel="email", event="withdraw", source="in_person", by=reception, now=NOW)
    assert left(owner, Wanted("marketing"), "email").some == 1
    with pytest.raises(Refused):
        given_out(owner, Wanted("marketing"))


@pytest.mark.parametrize("scope", ["marketing", "all", "delivery"])
def test_a_stopped_address_is_in_no_marketing_file(owner: User, reception: User, book: list[Client], scope: str) -> None:
    amelie, other = book[0], factories.client(email="AMELIE@example.org")
    say_yes(amelie, by=reception)
    say_yes(other, by=reception)
    assert len(rows_of(given_out(owner, Wanted("marketing")))) == 2
    addresses.stop("email", "amelie@example.org", scope=scope, reason="complaint", now=NOW)
    with pytest.raises(Refused):
        given_out(owner, Wanted("marketing"))
    out = left(owner, Wanted("marketing"), "email")
    assert (out.stopped, out.count) == (2, 5)


def test_a_no_between_counting_and_writing_keeps_somebody_out(owner: User, reception: User, book: list[Client]) -> None:
    say_yes(book[0], by=reception)
    salon, wanted = Salon.objects.current(), Wanted("marketing")
    ids = people.ids_of(people.chosen(people.listed(owner, salon, wanted, now=NOW), "email", salon=salon, now=NOW))
    assert list(ids) == [book[0].pk]
    answers.set_channel(book[0], "email", "no", by=reception, now=NOW + dt.timedelta(minutes=1))
    assert [chunk for chunk in people.read(owner, salon, wanted, ids, now=NOW) if chunk] == []


@pytest.mark.parametrize("field", ["inactive_at", "blacklisted_at"])
def test_marketing_goes_to_nobody_inactive_or_blacklisted(owner: User, reception: User, book: list[Client], field: str) -> None:
    say_yes(book[0], by=reception)
    Client.objects.filter(pk=book[0].pk).update(**{field: NOW})
    status = field.removesuffix("_at").replace("ed", "") if field == "blacklisted_at" else "inactive"
    with pytest.raises(Refused):
        given_out(owner, Wanted("marketing", status=status))
    assert names(given_out(owner, Wanted("contacts", status=status))) == ["Bertrand"]


def test_marketing_rests_while_somebody_asked_for_a_pause(owner: User, reception: User, book: list[Client]) -> None:
    say_yes(book[0], by=reception)
    Client.objects.filter(pk=book[0].pk).update(marketing_paused_until=NOW + dt.timedelta(days=1))
    with pytest.raises(Refused):
        given_out(owner, Wanted("marketing"))
    assert left(owner, Wanted("marketing"), "email").not_written_to == 1
    assert names(given_out(owner, Wanted("marketing"), now=NOW + dt.timedelta(days=1))) == ["Bertrand"]


BIRTHS = st.tuples(st.integers(2009, 2013), st.none() | st.tuples(st.integers(1, 12), st.integers(1, 28)))


@given(BIRTHS, st.dates(dt.date(2026, 1, 1), dt.date(2026, 12, 31)))
@cases(40)
def test_no_child_is_in_a_marketing_file(owner: User, born: Any, today: dt.date) -> None:
    year, day = born
    month_day = dict(zip(("birth_month", "birth_day"), day, strict=True)) if day else {}
    client = factories.client(birth_year=year, **month_day)
    now = dt.datetime.combine(today, dt.time(12), dt.UTC)
    salon = Salon.objects.current()
    is_left = client in Client.objects.filter(people._written_to(salon, now))
    is_minor = countries.is_minor(salon.country, year=year, month=client.birth_month, day=client.birth_day, today=today)
    assert is_left is not is_minor


ANSWERS = st.lists(
    st.tuples(
        st.sampled_from([*fold.MARKETING, fold.ALL_MARKETING]),
        st.sampled_from(["email", "sms"]),
        st.sampled_from(["grant", "withdraw", "pending", "object", "soft_opt_in", "import_claim", "complaint"]),
        st.sampled_from(["paper_form", "in_person", "preference_page"]),
    ),
    max_size=8,
)


@given(ANSWERS, st.sampled_from(["email", "sms"]))
@cases(40)
def test_who_is_in_a_marketing_file_is_who_the_ledger_says(owner: User, said: list[Any], channel: str) -> None:
    client = factories.client()
    for minute, (purpose, way, event, source) in enumerate(said):
        opens = event in {"grant", "pending", "soft_opt_in", "import_claim"}
        purposes = fold.MARKETING if opens and purpose == fold.ALL_MARKETING else [purpose]
        actor = "client" if event in {"object", "complaint"} or source == "preference_page" else "staff"
        for one in purposes:
            consent.record(
                client, purpose=one, channel=way, event=event, source=source, actor_type=actor,
                by=owner if actor == "staff" else None, now=NOW + dt.timedelta(minutes=minute),
            )  # fmt: skip
    # Told apart from the code: from the ledger itself, kind by kind, and the address's own row.
    granted = all(consent.reading(client, purpose, channel).state == "granted" for purpose in fold.MARKETING)
    address = addresses.lock(channel, addresses.hash_of(channel, client.email if channel == "email" else str(client.phone)))
    salon, wanted = Salon.objects.current(), Wanted("contacts", ids=(client.pk,))
    chosen = people.chosen(people.listed(owner, salon, wanted, now=NOW), channel, salon=salon, now=NOW)
    assert chosen.exists() == (granted and address.scope == "")
    out = left(owner, wanted, channel)
    assert out.count == 1 - chosen.count()
    front = answers.of_clients([client.pk])[client.pk][channel]
    word = {"yes": "stopped", "no": "refused", "ask": "not_asked", "wait": "waiting", "some": "some"}[front]
    assert out.count == getattr(out, word)


# --- rights and the log -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.RECEPTION, Role.STYLIST])
def test_who_may_not_export_gets_no_file_from_the_operations_either(salon: Salon, book: list[Client], role: Role) -> None:
    user = cast.user_with(role)
    with pytest.raises(Refused, match="may not export"):
        given_out(user, Wanted("contacts"))
    with pytest.raises(Refused, match="may not export"):
        exports.start(Wanted("contacts"), purpose="", by=user, salon=salon, now=NOW)
    assert not Export.objects.exists()


def test_a_masked_reader_would_get_masks(salon: Salon, stylist: User, book: list[Client]) -> None:
    ids = [client.pk for client in book]
    (chunk,) = people.read(stylist, salon, Wanted("everything"), ids, now=NOW)
    shown = [column.of(chunk[0]) for column in columns.of("everything")]
    assert "06 •• •• •• 11" in shown
    assert "am•••@example.org" in shown
    assert not {"06 88 21 04 11", "amelie@example.org"} & {str(cell) for cell in shown}


def test_the_log_holds_counts_and_codes_and_the_row_what_for(owner: User, book: list[Client]) -> None:
    given_out(owner, Wanted("contacts", text="Bertrand"), purpose="Cards for Amélie")
    event = AuditEvent.objects.get(action="clients.exported")
    assert event.by == owner
    assert event.facts == {
        "preset": "contacts", "who": "all", "list": "active", "has_search": True, "filters": [], "rows_count": 1,
        "has_password": False,
    }  # fmt: skip
    row = Export.objects.get(pk=event.subject_id or 0)
    assert (row.purpose, row.text, row.state, row.row_count) == ("Cards for Amélie", "", "handed", 1)


# --- there and back -----------------------------------------------------------------------------------------------


def snapshot() -> list[Any]:
    return [
        list(Client.objects.order_by("pk").values_list()),
        list(ConsentEvent.objects.order_by("pk").values_list()),
        list(Standing.objects.order_by("pk").values_list()),
    ]


@pytest.mark.parametrize("language", ["en", "fr", "de"])
def test_a_file_brought_in_again_changes_nothing(owner: User, reception: User, book: list[Client], language: str) -> None:
    owner.language = language
    say_yes(book[0], by=reception)
    say_yes(book[3], "sms", how="in_person", by=reception)
    answers.set_channel(book[0], "sms", "no", by=reception, now=NOW)
    answers.set_reminders(book[0], False, by=reception, now=NOW)
    Client.objects.filter(pk=book[1].pk).update(blacklisted_at=NOW)
    before = snapshot()
    file = given_out(owner, Wanted("everything"))
    with translation.override(language):
        row = jobs.bring_in(file.getvalue(), "clients.xlsx", by=owner, now=timezone.now())
    assert (row.state, row.new_count, row.filled_count, row.claim_count, row.stop_count) == ("done", 0, 0, 0, 0)
    assert row.report["faults"] == []
    assert snapshot() == before


def test_an_empty_book_is_filled_by_the_file_of_another(owner: User, book: list[Client]) -> None:
    before = list(Client.objects.order_by("sort_name").values_list(*records.FIELDS))
    file = given_out(owner, Wanted("everything"))
    Client.objects.all().delete()
    jobs.bring_in(file.getvalue(), "clients.xlsx", by=owner, now=timezone.now())
    assert list(Client.objects.order_by("sort_name").values_list(*records.FIELDS)) == before


# --- the console --------------------------------------------------------------------------------------------------


def test_the_command_writes_a_new_file_for_its_owner_alone(owner: User, book: list[Client], tmp_path: Path) -> None:
    path = tmp_path / "clients.xlsx"
    owner.language = "en"
    owner.save()
    out = io.StringIO()
    call_command("export_clients", str(path), "--preset", "contacts", "--q", "bertrand", "--purpose", "audit", stdout=out)
    assert "1 client" in out.getvalue() or "1 " in out.getvalue()
    assert path.stat().st_mode & 0o777 == 0o600
    assert names(io.BytesIO(path.read_bytes())) == ["Bertrand"]
    event = AuditEvent.objects.get(action="clients.exported")
    assert (event.by, event.facts["rows_count"]) == (None, 1)
    assert Export.objects.get(pk=event.subject_id or 0).purpose == "audit"


def test_the_command_overwrites_nothing_and_leaves_nothing_behind(owner: User, book: list[Client], tmp_path: Path) -> None:
    path = tmp_path / "clients.xlsx"
    with pytest.raises(CommandError):
        call_command("export_clients", str(path), "--q", "nobody at all")
    assert not path.exists()
    path.write_text("mine")
    with pytest.raises(CommandError):
        call_command("export_clients", str(path))
    assert path.read_text() == "mine"
    with pytest.raises(CommandError):
        call_command("export_clients", str(tmp_path / "no" / "such.xlsx"))


def test_the_command_before_the_set_up_says_so(db: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="not set up"):
        call_command("export_clients", str(tmp_path / "x.xlsx"))
