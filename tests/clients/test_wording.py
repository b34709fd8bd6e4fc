"""The words of a Yes: what was agreed to stays, what is new is for new answers (C13, I-45)."""

from collections.abc import Callable

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client as Browser
from django.urls import reverse

from clients import answers, consent, wording
from clients.models import ConsentEvent, ConsentText
from salon.core.errors import Refused
from salon.core.models import AuditEvent, Salon, User
from salon.core.roles import Role
from tests import factories

pytestmark = pytest.mark.django_db

NEW = "Yes, {salon} may tell me by {channel} what is new. I can stop this whenever I like."


def publish(by: User, body: str = NEW, **said: str) -> ConsentText:
    where = {"purpose": "mkt.promotion", "channel": "email", "language": "en", **said}
    return wording.publish(purpose=where["purpose"], channel=where["channel"], language=where["language"], body=body, by=by)


def test_a_new_version_is_for_new_answers_and_the_old_one_keeps_its_own(salon: Salon, owner: User) -> None:
    before, after = factories.client(language="en"), factories.client(language="en")
    answers.set_channel(before, "email", "yes", how="paper_form", by=owner)
    text = publish(owner)
    answers.set_channel(after, "email", "yes", how="paper_form", by=owner)
    said = {
        event.subject.client_id: event.text.version if event.text else ""
        for event in ConsentEvent.objects.filter(purpose="mkt.promotion", channel="email").select_related("text", "subject")
    }
    assert said == {before.pk: "2026-1", after.pk: text.version}
    assert consent.standing(before, "mkt.promotion", "email") == "granted"
    assert AuditEvent.objects.filter(action="wording.published").count() == 1


def test_versions_count_up_within_a_year(salon: Salon, owner: User) -> None:
    versions = [publish(owner, f"{NEW} {number}").version for number in range(3)]
    year = versions[0].partition("-")[0]
    first = 2 if year == "2026" else 1
    assert versions == [f"{year}-{first + number}" for number in range(3)]
    assert wording.in_force("en")["mkt.promotion", "email"].version == versions[-1]


@pytest.mark.parametrize(
    "body",
    ["", "   ", "x" * 1001, "Yes to {salon}.", "Yes by {channel}.", NEW + " {first_name}", NEW + " {", NEW + " }", NEW + "{}"],
)
def test_words_that_cannot_stand_are_refused(salon: Salon, owner: User, body: str) -> None:
    with pytest.raises(Refused):
        publish(owner, body)
    assert not ConsentText.objects.exclude(version="2026-1").exists()


def test_the_same_words_again_are_refused(salon: Salon, owner: User) -> None:
    publish(owner)
    with pytest.raises(Refused):
        publish(owner, f" {NEW} \n")


def test_words_without_messages_need_no_channel(salon: Salon, owner: User) -> None:
    assert publish(owner, "Yes, {salon} may look at my visits.", purpose="profiling", channel="").channel == ""


@pytest.fixture
def used(salon: Salon, owner: User) -> ConsentText:
    client = factories.client(language="en")
    answers.set_channel(client, "email", "yes", how="paper_form", by=owner)
    return ConsentText.objects.get(purpose="mkt.promotion", channel="email", language="en")


def test_words_somebody_agreed_to_cannot_be_changed_or_deleted_by_any_way(used: ConsentText) -> None:
    sha = used.sha256
    used.body = "something else"
    with pytest.raises(Refused):
        used.save()
    with pytest.raises(Refused):
        used.delete()
    for change in (
        lambda: ConsentText.objects.filter(pk=used.pk).update(body="x"),
        lambda: ConsentText.objects.bulk_update([used], ["body"]),
        lambda: ConsentText.objects.filter(pk=used.pk)._raw_delete("default"),
        lambda: connection.cursor().execute("UPDATE clients_consenttext SET sha256 = 'x' WHERE id = %s", [used.pk]),
        lambda: connection.cursor().execute("DELETE FROM clients_consenttext WHERE id = %s", [used.pk]),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    assert ConsentText.objects.get(pk=used.pk).sha256 == sha


def test_words_nobody_agreed_to_are_free(salon: Salon, owner: User) -> None:
    text = publish(owner)
    text.body = NEW + " Really."
    text.save()
    text.delete()
    assert wording.in_force("en")["mkt.promotion", "email"].version == "2026-1"


def test_the_history_shows_the_very_words(used: ConsentText, signed_in: Callable[[Role], Browser], owner: User) -> None:
    publish(owner)
    client = ConsentEvent.objects.filter(text=used).select_related("subject").get().subject.client
    assert client is not None
    page = signed_in(Role.STYLIST).get(reverse("clients:consent_history", args=[client.pk])).content.decode()
    assert "Yes, Atelier Nord may send me offers and news about its own services by e-mail." in page
    assert "what is new" not in page


def test_the_owner_publishes_and_reception_only_reads(used: ConsentText, signed_in: Callable[[Role], Browser]) -> None:
    url = reverse("clients:wording", args=[used.pk])
    reads = signed_in(Role.RECEPTION)
    assert "<textarea" not in reads.get(url).content.decode()
    assert reads.post(url, {"body": NEW}).status_code == 403
    owner = signed_in(Role.OWNER)
    assert owner.post(url, {"body": "no names"}).status_code == 422
    assert owner.post(url, {"body": NEW}).status_code == 303
    shown = owner.get(reverse("clients:wordings")).content.decode()
    assert "Yes, Atelier Nord may tell me by e-mail what is new." in shown
    assert "Ja, Atelier Nord darf mir per SMS Angebote" in shown
