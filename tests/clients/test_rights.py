"""What a client may ask for besides erasure: the copy of their data, a correction, a restriction; and who sees it."""

import datetime as dt
import io
import json
import re
import zipfile
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from clients import blacklist, consent, datacopy, links, records, rights, tagging
from clients.models import Client, HealthNote, Restriction, RightsRequest, SignedForm
from salon.core.errors import Refused
from salon.core.models import Salon, User
from salon.core.roles import Role
from tests import factories
from tests.clients import canaries

pytestmark = pytest.mark.django_db
SignIn = Callable[[Role], Browser]
# What is no part of a copy: codes for machines, and files that are tested by themselves.
INTERNAL = {
    "clients.importedcard.marks", "notifications.message.provider_id", "clients.signedform.data", "clients.import.title",
    "appointments.appointment.idempotency_key", "notifications.campaign.title", "notifications.campaign.text",
    "notifications.campaign.conditions", "clients.import.sheet", "clients.import.report", "clients.import.columns",
    "notifications.providerevent.provider_id", "notifications.reply.provider_id", "notifications.message.turned_from",
    "clients.merge.snapshot", "clients.merge.taken_in", "clients.duplicatepair.reasons",
    "clients.mergedhealthnote.text",
}  # fmt: skip


def unpacked(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def full(owner: User) -> tuple[Client, dict[str, str]]:
    values, found = canaries.card()
    client = records.add(by=owner, **values)
    return client, found | canaries.fill(client)


def test_the_copy_holds_every_canary_of_a_client_and_none_of_another(owner: User, salon: Salon) -> None:
    """I-44."""
    factories.appointment(state="done")
    client, found = full(owner)
    other, others = full(owner)
    links.add(client, other, kind="partner", by=owner)
    SignedForm.objects.all().delete()
    factories.signed_form(client, b"\xff\xd8\xff of hers")
    factories.signed_form(other, b"\xff\xd8\xff of another")
    files = unpacked(datacopy.of(client, salon, now=timezone.now()))
    text = b" ".join(files.values()).decode("utf-8", "replace")
    missing = {where for one, where in found.items() if one not in text and where not in INTERNAL}
    assert missing == set()
    # What both have in common by construction of the test (one service) is nobody's.
    leaked = {where for one, where in others.items() if one in text}
    assert leaked == set()
    assert other.last_name not in text
    assert [data for name, data in files.items() if name.startswith("files/")] == [b"\xff\xd8\xff of hers"]


def test_the_copy_is_in_the_clients_language_and_says_what_may_be_taken_along(owner: User, salon: Salon) -> None:
    client = factories.client(language="de", note="Kommt gern früh", first_name="=cmd()")
    consent.record(client, purpose="mkt.promotion", channel="email", event="grant", source="in_person", by=owner)
    files = unpacked(datacopy.of(client, salon, now=timezone.now()))
    page, held = files["readable.html"].decode(), json.loads(files["data.json"])
    assert '<html lang="de">' in page
    assert "Ihre Daten" in page
    assert "CNIL" in page
    assert {"readable.html", "style.css", "data.json", "csv/main.csv", "csv/consents.csv"} <= set(files)
    portable = {code for code, part in held["parts"].items() if part["portable"]}
    assert {"main", "consents", "visits", "health"} <= portable
    assert portable.isdisjoint({"note", "marks", "messages", "visit_notes"})
    assert "'=cmd()" in files["csv/main.csv"].decode("utf-8-sig")
    assert "script" not in page


def test_the_page_of_the_copy_says_in_words_what_the_files_hold_as_codes(owner: User, salon: Salon) -> None:
    client = factories.client(language="de", country="FR", phone="+33612345678", preferred_channel="sms", came_through="social")
    visit = factories.appointment(
        client=client, price=Decimal("58.00"), start_at=dt.datetime(2026, 3, 1, 9, 30, tzinfo=factories.PARIS)
    )
    slip = consent.record(client, purpose="mkt.promotion", channel="email", event="grant", source="in_person", by=owner)
    consent.void(slip, by=owner)
    files = unpacked(datacopy.of(client, salon, now=timezone.now()))
    page, held = files["readable.html"].decode(), json.loads(files["data.json"])["parts"]
    cells = re.findall(r"<td>([^<]*)</td>", page)
    assert {"Deutsch", "Frankreich", "06 12 34 56 78", "58\xa0€", "1. März 2026, 09:30", "Als Versehen zurückgenommen"} <= set(
        cells
    )
    assert {"void", "FR", "fr", "de", "sms", "social", "58.00"}.isdisjoint(cells)
    assert not [cell for cell in cells if re.match(r"\d{4}-\d\d-\d\d", cell)]
    main, visits = held["main"]["rows"][0], held["visits"]["rows"]
    assert (main["language"], main["country"], main["phone"], main["came_through"]) == ("de", "FR", "+33612345678", "social")
    assert [row["price"] for row in visits] == [str(visit.price)]
    assert "2026-03-01 09:30" in files["csv/visits.csv"].decode("utf-8-sig")


def test_a_copy_is_given_out_once_it_is_said_how_the_client_was_known(signed_in: SignIn) -> None:
    client, manager = factories.client(), signed_in(Role.MANAGER)
    path, today = f"/clients/{client.pk}/data/", factories.today().isoformat()
    assert signed_in(Role.RECEPTION).get(path).status_code == 403
    assert manager.post(path, {"received_on": today}).status_code == 422
    early = manager.post(path, {"received_on": "1800-01-01", "known_by": "document"})
    assert early.status_code == 422
    assert "began on 25 May 2018" in early.content.decode()
    assert not RightsRequest.objects.exists()
    answer = manager.post(path, {"received_on": today, "known_by": "document"})
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Cache-Control"] == "no-store"
    row = RightsRequest.objects.get()
    assert (row.kind, row.known_by, row.client) == ("copy", "document", client)
    assert row.answered_at is not None
    page = manager.get(path).content.decode()
    assert "Copy of their data" in page
    assert re.search(rf'<form [^>]*action="{path}"[^>]* data-download', page), "its button can be pressed again"


def test_a_correction_is_written_down_and_leads_to_the_card(signed_in: SignIn) -> None:
    client, today = factories.client(), factories.today().isoformat()
    answer = signed_in(Role.MANAGER).post(f"/clients/{client.pk}/correction/", {"received_on": today, "known_by": "address"})
    assert answer.headers["Location"] == f"/clients/{client.pk}/edit/"
    assert RightsRequest.objects.get().kind == "correction"


def test_a_restricted_card_is_seen_in_one_place_only_until_the_client_was_told(signed_in: SignIn) -> None:
    client, manager = factories.client(last_name="Verborgen"), signed_in(Role.MANAGER)
    form = {"reason": "disputed", "note": "the address", "known_by": "in_person"}
    assert manager.post(f"/clients/{client.pk}/restrict/", form).status_code == 303
    client.refresh_from_db()
    assert client.restricted_at is not None
    assert manager.get(f"/clients/{client.pk}/").headers["Location"] == f"/clients/{client.pk}/restricted/"
    assert manager.get(f"/clients/{client.pk}/edit/").status_code == 404
    assert f"/clients/{client.pk}/" not in manager.get("/clients/?q=Verborgen").content.decode()
    assert "the address" in manager.get("/clients/restricted/").content.decode()
    assert signed_in(Role.RECEPTION).get("/clients/restricted/").status_code == 403
    assert manager.get(f"/clients/{client.pk}/data/").status_code == 200  # the one thing they still get
    row = Restriction.objects.get()
    path = f"/clients/restricted/{row.pk}/end/"
    assert manager.post(path, {"told_how": "phone", "told_on": "2100-01-01"}).status_code == 422
    assert manager.post(path, {"told_how": "phone", "told_on": "2020-01-01"}).status_code == 422  # not restricted yet
    assert manager.post(path, {"told_how": "phone", "told_on": factories.today().isoformat()}).status_code == 303
    row.refresh_from_db()
    client.refresh_from_db()
    assert not client.restricted_at
    assert row.told_how == "phone"
    assert [one.kind for one in RightsRequest.objects.order_by("pk")] == ["restriction", "lifting"]


def test_a_card_is_restricted_once_and_not_while_it_is_deleted(owner: User) -> None:
    client = factories.client()
    given: dict[str, Any] = {"reason": "claim", "note": "", "until": None, "known_by": "in_person", "by": owner}
    rights.restrict(client, now=timezone.now(), **given)
    with pytest.raises(Refused, match="restricted already"):
        rights.restrict(client, now=timezone.now(), **given)
    row = Restriction.objects.get()
    rights.lift(row, told_how="phone", told_on=factories.today(), by=owner, now=timezone.now())
    with pytest.raises(Refused, match="ended already"):
        rights.lift(row, told_how="phone", told_on=factories.today(), by=owner, now=timezone.now())


def test_a_health_note_and_tags_are_in_the_copy(owner: User, salon: Salon) -> None:
    client = factories.client()
    HealthNote.objects.create(client=client, text="Reacts to ammonia")
    tagging.add({client.pk}, name="bridal", by=owner, now=timezone.now())
    text = b" ".join(unpacked(datacopy.of(client, salon, now=timezone.now())).values()).decode("utf-8", "replace")
    assert "Reacts to ammonia" in text
    assert "bridal" in text


def test_why_somebody_was_on_the_blacklist_is_in_the_copy(owner: User, salon: Salon) -> None:
    client = factories.client()
    blacklist.add(client, reason="no_show", words="Three times in May", by=owner, now=timezone.now())
    blacklist.lift(client, by=owner, now=timezone.now())
    text = b" ".join(unpacked(datacopy.of(client, salon, now=timezone.now())).values()).decode()
    assert "Three times in May" in text
