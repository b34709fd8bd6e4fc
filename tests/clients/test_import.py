"""Bringing a list in: what becomes a card, what is refused and why, and that consent is never raised."""

import csv
import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from unittest import mock

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from clients import consent
from clients.importing import jobs, reading
from clients.models import Address, Client, ConsentEvent, Standing, Subject
from salon.core.models import AuditEvent, Salon
from tests import factories
from tests.clients import files
from tests.generated import cases

GOOGLE = """\
First Name,Middle Name,Last Name,Phonetic First Name,Organization Name,Birthday,Notes,Labels,E-mail 1 - Label,E-mail 1 - Value,Phone 1 - Label,Phone 1 - Value,Phone 2 - Label,Phone 2 - Value,Address 1 - Street,Address 1 - City,Address 1 - Postal Code,Address 1 - Country
Amélie,,Bertrand,,,1990-04-12,"Likes tea
and quiet",* myContacts,* Home,amelie@example.org,Home,04 72 00 00 01,Mobile,06 12 34 56 78,3 rue Haute,Lyon,69001,France
Karim,Ali,Benali,,,--04-12,,* myContacts,* Work,karim@example.org ::: k2@example.org,Mobile,+33 7 55 10 32 67 ::: 06 12 34 56 70,,,,,,
,,,,Garage Dupont,,,* myContacts,,,Work,04 72 00 00 02,,,,,,
,,,,,,,* myContacts,Other,nobody@example.org,,,,,,,,
Eva,,Lang,,,,,* myContacts,Other,eva@,Mobile,06 12 34 56 71,,,,,,
Uwe,,Kern,,,,,* myContacts,Other,uwe@example.org,Mobile,0612,,,,,,
"""  # noqa: E501


def bring_in(tmp_path: Path, text: str | bytes, *options: str) -> str:
    path = tmp_path / "list.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    out = io.StringIO()
    call_command("import_clients", str(path), *options, stdout=out)
    return out.getvalue()


@pytest.fixture
def english(salon: Salon) -> Salon:
    return factories.salon(language="en")


def everything() -> list[object]:
    """What an import can write, without times and surrogate ids of the audit trail."""
    return [
        list(Client.objects.order_by("pk").values()),
        list(Subject.objects.order_by("pk").values_list("pk", "client")),
        list(ConsentEvent.objects.order_by("pk").values_list("pk", "subject", "purpose", "channel", "event", "address_hmac")),
        list(Standing.objects.order_by("pk").values_list("client", "purpose", "channel", "state")),
        list(Address.objects.order_by("pk").values_list("channel", "hmac", "scope")),
    ]


def test_a_dry_run_counts_and_changes_nothing(english: Salon, tmp_path: Path) -> None:
    out = bring_in(tmp_path, GOOGLE)
    assert "New             3" in out
    assert "Refused         3" in out
    assert "Nothing was changed" in out
    assert not Client.objects.exists()
    assert not AuditEvent.objects.exists()


def test_a_google_export_becomes_cards(english: Salon, tmp_path: Path) -> None:
    bring_in(tmp_path, GOOGLE, "--commit")
    amelie = Client.objects.get(email="amelie@example.org")
    assert (amelie.first_name, amelie.last_name, str(amelie.phone)) == ("Amélie", "Bertrand", "+33612345678")
    assert (amelie.birth_day, amelie.birth_month, amelie.birth_year) == (12, 4, 1990)
    assert (amelie.street, amelie.postcode, amelie.city, amelie.country) == ("3 rue Haute", "69001", "Lyon", "FR")
    assert amelie.note == "Likes tea\nand quiet"
    assert amelie.language == "en"
    karim = Client.objects.get(email="karim@example.org")
    assert (karim.first_name, karim.birth_day, karim.birth_year) == ("Karim Ali", 12, None)
    assert str(karim.phone) == "+33755103267"
    assert Client.objects.get(phone="+33472000002").name == "+33472000002"


def test_every_refused_row_is_named_with_its_number_column_and_reason(english: Salon, tmp_path: Path) -> None:
    out = bring_in(tmp_path, GOOGLE, "--commit")
    refused = [line.strip() for line in out.split("Refused rows")[1].splitlines() if line.startswith("  Row")][:3]
    assert refused == [
        "Row 5: There is neither a name nor a phone number.",
        "Row 6, E-mail 1 - Value: This is no e-mail address.",
        "Row 7, Phone 1 - Value: Enter a phone number, like 06 12 34 56 78",
    ]
    assert Client.objects.count() == 3, "a refused row is refused whole"


def test_the_file_of_refused_rows_can_be_mended_and_brought_in_again(english: Salon, tmp_path: Path) -> None:
    refused = tmp_path / "refused.csv"
    bring_in(tmp_path, "Name,Phone,Note\nAnn Lee,06 12,=1+1\nBen Low,+33612345678,\n", "--commit", "--refused", str(refused))
    (header, row) = csv.reader(io.StringIO(refused.read_text("utf-8-sig")), delimiter=";")
    assert header == ["Row", "Column", "Reason", "Name", "Phone", "Note"]
    assert row[:2] == ["2", "Phone"]
    assert row[4] == "'06 12", "nor a number without its zero"
    assert row[5] == "'=1+1", "no cell is a formula in a spreadsheet"
    bring_in(tmp_path, refused.read_text("utf-8-sig").replace("06 12", "06 12 34 56 79"), "--commit")
    assert Client.objects.get(last_name="Lee").note == "=1+1"
    with pytest.raises(CommandError, match="exists already"):
        bring_in(tmp_path, GOOGLE, "--commit", "--refused", str(refused))
    assert Client.objects.count() == 2


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path / "missing.csv", "There is no file"),
        (lambda path: path, "is a folder"),
    ],
)
def test_a_missing_file_and_a_folder_are_named(english: Salon, tmp_path: Path, make: Callable[[Path], Path], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("import_clients", str(make(tmp_path)))


def test_a_file_without_a_known_column_is_refused(english: Salon, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No column"):
        bring_in(tmp_path, "a,b\n1,2\n")


@pytest.mark.django_db
def test_a_salon_that_is_not_set_up_says_so(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="not set up"):
        bring_in(tmp_path, GOOGLE)


def test_a_row_with_more_cells_than_the_header_is_refused(english: Salon, tmp_path: Path) -> None:
    out = bring_in(tmp_path, "Name,Phone\nLee, Ann,0612345678\n", "--commit")
    assert "Row 2: The row has more cells than the header." in out
    assert not Client.objects.exists()


def test_an_ambiguous_date_is_left_out_and_told(english: Salon, tmp_path: Path) -> None:
    out = bring_in(tmp_path, "Name,Birthday\nAnn Lee,01/02/1990\n", "--commit")
    assert "Row 2, Birthday: Day and month cannot be told apart" in out
    assert Client.objects.get().birth_day is None


def test_another_date_of_the_column_settles_the_order(english: Salon, tmp_path: Path) -> None:
    bring_in(tmp_path, "Name,Birthday\nAnn Lee,01/02/1990\nBen Low,25/12/1980\n", "--commit")
    ann = Client.objects.get(last_name="Lee")
    assert (ann.birth_day, ann.birth_month) == (1, 2)


def test_a_known_card_is_filled_and_never_overwritten(english: Salon, tmp_path: Path) -> None:
    card = factories.client(
        first_name="Amélie", last_name="Bertrand", email="amelie@example.org", phone="", city="Nice", language="fr"
    )
    out = bring_in(
        tmp_path,
        "Name,E-mail,Phone,City,Street,Language\nBERTRAND Amelie,AMELIE@example.org,0612345678,Lyon,rue Haute,de\n",
        "--commit",
    )
    assert "Updated         1" in out
    card.refresh_from_db()
    assert str(card.phone) == "+33612345678"
    assert (card.city, card.street, card.language, card.first_name) == ("Nice", "", "fr", "Amélie")
    assert card.version == 2
    assert "0612345678" in card.search_text
    assert Client.objects.count() == 1


def test_the_same_phone_under_another_name_is_another_card(english: Salon, tmp_path: Path) -> None:
    factories.client(first_name="Anne", last_name="Roux", phone="+33612345678", email="")
    bring_in(tmp_path, "Name,Phone\nLéo Roux,0612345678\n", "--commit")
    assert Client.objects.filter(phone="+33612345678").count() == 2


def test_a_person_on_two_cards_is_filled_on_neither(english: Salon, tmp_path: Path) -> None:
    for _ in range(2):
        factories.client(first_name="Ann", last_name="Lee", phone="+33612345678", email="")
    out = bring_in(tmp_path, "Name,Phone,City\nAnn Lee,0612345678,Lyon\n", "--commit")
    assert "Several cards are of this person" in out
    assert not Client.objects.filter(city="Lyon").exists()


def test_the_same_file_twice_changes_nothing(english: Salon, tmp_path: Path) -> None:
    bring_in(tmp_path, GOOGLE, "--commit")
    before = everything()
    out = bring_in(tmp_path, GOOGLE, "--commit")
    assert "New             0" in out
    assert "Unchanged       3" in out
    assert everything() == before


def test_rows_that_repeat_inside_the_file_are_one_card(english: Salon, tmp_path: Path) -> None:
    row = "Ann Lee,0612345678,ann@example.org\n"
    out = bring_in(tmp_path, f"Name,Phone,E-mail\n{row}{row}Lee Ann,06 12 34 56 78,\n", "--commit")
    assert Client.objects.count() == 1
    assert "Unchanged       2" in out


def test_a_claimed_yes_is_stored_as_a_claim_and_opens_nothing(english: Salon, tmp_path: Path) -> None:
    out = bring_in(tmp_path, "Name,E-mail,Phone,Newsletter,SMS\nAnn Lee,ann@example.org,0612345678,yes,oui\n", "--commit")
    assert "Proof is missing" in out
    card = Client.objects.get()
    events = ConsentEvent.objects.filter(subject__client=card)
    assert {(event.event, event.channel, event.evidence_level, event.source) for event in events} == {
        ("import_claim", "email", 0, "import"),
        ("import_claim", "sms", 0, "import"),
    }
    for purpose in consent.MARKETING:
        for channel in ("email", "sms"):
            assert consent.standing(card, purpose, channel) in {"unknown"}
            assert consent.reading(card, purpose, channel).state == "unknown"


def test_a_no_counts_at_once_for_every_marketing_kind_of_its_channel(english: Salon, tmp_path: Path) -> None:
    bring_in(tmp_path, "Name,E-mail,Phone,Newsletter\nAnn Lee,ann@example.org,0612345678,no\n", "--commit")
    card = Client.objects.get()
    for purpose in consent.MARKETING:
        assert consent.standing(card, purpose, "email") == "withdrawn"
        assert consent.standing(card, purpose, "sms") == "unknown"
    assert consent.standing(card, "svc.reminder", "email") == "unknown", "a no to marketing is no no to reminders"


def granted(card: Client) -> None:
    for purpose in consent.MARKETING:
        for channel in ("email", "sms"):
            consent.record(card, purpose=purpose, channel=channel, event="grant", source="paper_form")


def test_a_no_of_a_refused_row_stops_the_card_it_names(english: Salon, tmp_path: Path) -> None:
    card = factories.client(first_name="Ann", last_name="Lee", phone="+33612345678", email="ann@example.org")
    granted(card)
    out = bring_in(tmp_path, "Name,E-mail,Phone,Newsletter\nAnn Lee,ann@example.org,06 12,no\n", "--commit")
    assert "Refused         1" in out
    assert consent.standing(card, "mkt.promotion", "email") == "withdrawn"
    assert consent.standing(card, "mkt.promotion", "sms") == "granted"


def test_a_no_of_a_refused_row_stops_everybody_at_its_address(english: Salon, tmp_path: Path) -> None:
    card = factories.client(first_name="Other", last_name="Name", phone="+33612345678", email="ann@example.org")
    granted(card)
    bring_in(tmp_path, "Name,E-mail,Phone,Unsubscribed\nAnn Lee,ann@example.org,06 12,yes\n", "--commit")
    assert consent.standing(card, "mkt.promotion", "email") == "withdrawn"


def test_an_import_that_says_yes_leaves_the_opted_out_opted_out_and_says_so(english: Salon, tmp_path: Path) -> None:
    """C18."""
    card = factories.client(first_name="Ann", last_name="Lee", phone="+33612345678", email="ann@example.org")
    consent.record(card, purpose="*", channel="email", event="object", source="one_click_post", actor_type="client")
    out = bring_in(tmp_path, "Name,E-mail,Newsletter\nAnn Lee,ann@example.org,yes\n", "--commit")
    assert "Row 2: The file says yes, this person said no: the no stands." in out
    assert consent.standing(card, "mkt.promotion", "email") == "withdrawn"


def test_of_a_yes_and_a_no_for_one_person_the_no_stands(english: Salon, tmp_path: Path) -> None:
    bring_in(tmp_path, "Name,E-mail,Newsletter\nAnn Lee,ann@example.org,yes\nAnn Lee,ann@example.org,no\n", "--commit")
    assert set(ConsentEvent.objects.values_list("event", flat=True)) == {"withdraw"}


def test_an_address_that_comes_back_does_not_bring_its_yes_back(english: Salon, tmp_path: Path) -> None:
    card = factories.client(first_name="Ann", last_name="Lee", phone="+33612345678", email="ann@example.org")
    granted(card)
    Client.objects.filter(pk=card.pk).update(email="")
    bring_in(tmp_path, "Name,E-mail,Phone\nAnn Lee,ann@example.org,0612345678\n", "--commit")
    card.refresh_from_db()
    assert consent.reading(card, "mkt.promotion", "email").state != "granted"


def test_the_control_a_yes_for_the_address_would_come_back(english: Salon, tmp_path: Path) -> None:
    card = factories.client(first_name="Ann", last_name="Lee", phone="+33612345678", email="ann@example.org")
    granted(card)
    Client.objects.filter(pk=card.pk).update(email="")
    Client.objects.filter(pk=card.pk).update(email="ann@example.org")
    card.refresh_from_db()
    assert consent.reading(card, "mkt.promotion", "email").state == "granted"


def test_an_import_that_fails_on_the_way_leaves_nothing(english: Salon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object, **_options: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(consent, "record_many", broken)
    with pytest.raises(RuntimeError):
        bring_in(tmp_path, "Name,Newsletter\nAnn Lee,no\n", "--commit")
    assert not Client.objects.exists()


def test_the_audit_holds_counts_only(english: Salon, tmp_path: Path) -> None:
    bring_in(tmp_path, GOOGLE, "--commit")
    event = AuditEvent.objects.get(action="clients.imported")
    assert event.facts["new_count"] == 3
    assert event.facts["refused_count"] == 3


def test_the_output_speaks_the_salons_language(salon: Salon, tmp_path: Path) -> None:
    assert bring_in(tmp_path, GOOGLE)


def test_a_few_thousand_rows_are_written_in_few_statements(
    english: Salon, tmp_path: Path, django_assert_max_num_queries: Callable[[int], AbstractContextManager[None]]
) -> None:
    rows = "".join(f"Ann,Lee{n},a{n}@example.org,no\n" for n in range(2000))
    with django_assert_max_num_queries(400):
        bring_in(tmp_path, f"First name,Last name,E-mail,Newsletter\n{rows}", "--commit")
    assert Client.objects.count() == 2000


NAMES = st.sampled_from(["Ann Lee", "Lee Ann", "Ännä Lee", "Ben", "", "Cy Ng"])
PHONES = st.sampled_from(["0612345678", "+33 6 12 34 56 78", "0612345679", "", "", "06 12"])
EMAILS = st.sampled_from(["ann@example.org", "ANN@example.org", "ben@example.org", "", "", "x@"])
ANSWERS = st.sampled_from(["", "", "yes", "no", "maybe"])
BIRTHDAYS = st.sampled_from(["", "", "1990-04-12", "--04-12", "1990", "1985-01-02"])
NOTES = st.sampled_from(["", "tea", "no nuts"])
CITIES = st.sampled_from(["", "", "Lyon", "Nice"])
ROWS = st.lists(st.tuples(NAMES, PHONES, EMAILS, ANSWERS, ANSWERS, BIRTHDAYS, NOTES, CITIES), min_size=1, max_size=9)


def as_file(rows: list[tuple[str, ...]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["Name", "Phone", "E-mail", "Newsletter", "SMS", "Birthday", "Notes", "City"])
    writer.writerows(rows)
    return out.getvalue().encode()


def granted_set() -> set[tuple[int, str, str]]:
    """The granted (client, purpose, channel), folded afresh from the ledger."""
    return {
        (card.pk, purpose, channel)
        for card in Client.objects.all()
        for purpose in consent.MARKETING
        for channel in ("email", "sms")
        if consent.reading(card, purpose, channel).state == "granted"
    }


class ImportTwice(TestCase):
    """I-38, over generated lists and over cards that are there before."""

    def setUp(self) -> None:
        reader = mock.patch.object(reading, "_answer", files.answer)
        reader.start()
        self.addCleanup(reader.stop)

    @cases(60)
    @given(ROWS, ROWS, st.sets(st.integers(0, 8), max_size=3))
    def test_twice_is_once_and_never_opens_anything(
        self, first: list[tuple[str, ...]], second: list[tuple[str, ...]], yes: set[int]
    ) -> None:
        factories.salon(language="en")
        jobs.bring_in(as_file(first), "list.csv", by=None, now=timezone.now())
        for number, card in enumerate(Client.objects.order_by("pk")):
            if number in yes:
                granted(card)
        open_before = granted_set()
        jobs.bring_in(as_file(second), "list.csv", by=None, now=timezone.now())
        after = everything()
        assert granted_set() <= open_before
        jobs.bring_in(as_file(second), "list.csv", by=None, now=timezone.now())
        assert everything() == after


def test_a_column_named_on_the_command_line_is_read_as_that(english: Salon, tmp_path: Path) -> None:
    text = "Wer,Draht,Geburt\nAnn Lee,0612345678,03/04/1990\n"
    options = ["--column", "Wer=name", "--column", "Draht=mobile", "--column", "Geburt=birthday:month first"]
    bring_in(tmp_path, text, "--commit", *options)
    card = Client.objects.get()
    assert (card.name, str(card.phone), card.birth_day, card.birth_month) == ("Ann Lee", "+33612345678", 4, 3)


@pytest.mark.parametrize(
    ("wish", "words"),
    [("Draht=horse", "What it may hold: first_name"), ("Nobody=name", "There is no column Nobody"), ("Wer", "Name a column")],
)
def test_a_column_that_there_is_not_is_refused(english: Salon, tmp_path: Path, wish: str, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        bring_in(tmp_path, "Wer,Phone\nAnn Lee,0612345678\n", "--commit", "--column", wish)
    assert not Client.objects.exists()
