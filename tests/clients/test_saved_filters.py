"""Filters under a name: for the whole salon, without what was searched, deleted with Undo."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from clients import lists, savedfilters
from clients.models import SavedFilter
from salon.core.errors import Refused
from salon.core.models import AuditEvent, User
from salon.core.roles import Role

pytestmark = pytest.mark.django_db
SignIn = Callable[[Role], Browser]
HTMX = {"HX-Request": "true"}


def body(answer: Any) -> str:
    return str(answer.content.decode())


def kept(user: User, name: str, **wanted: str) -> SavedFilter:
    return savedfilters.save(name=name, wanted=lists.wanted(wanted), by=user, now=timezone.now())


def test_what_was_typed_is_not_kept(reception: User) -> None:
    row = kept(reception, "  Germans   born in May ", q="Amélie Bertrand", lang="de", born="5", page="3", status="inactive")
    assert (row.name, row.query, row.by) == ("Germans born in May", "status=inactive&born=5&lang=de", reception)
    assert AuditEvent.objects.get(action="filter.saved").facts == {}


@pytest.mark.parametrize(("name", "wanted"), [(" ", {"lang": "de"}), ("x", {}), ("x", {"q": "bert"}), ("Taken", {"lang": "de"})])
def test_no_name_no_filter_and_a_taken_name_are_refused(reception: User, name: str, wanted: dict[str, str]) -> None:
    kept(reception, "Taken", lang="fr")
    with pytest.raises(Refused):
        kept(reception, name, **wanted)
    assert SavedFilter.objects.count() == 1


def test_no_more_than_a_menu_can_show_are_kept(reception: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(savedfilters, "MOST", 1)
    kept(reception, "One", lang="fr")
    with pytest.raises(Refused, match="at most 1"):
        kept(reception, "Two", lang="fr")


def test_undo_brings_a_filter_back_as_it_was(reception: User, owner: User) -> None:
    row = kept(reception, "Germans", lang="de")
    before = SavedFilter.objects.values().get()
    token = savedfilters.delete(row, by=owner)
    assert not SavedFilter.objects.exists()
    savedfilters.undo(token, by=owner)
    assert SavedFilter.objects.values().get() == before
    with pytest.raises(Refused):
        savedfilters.undo(token, by=owner)
    with pytest.raises(Refused):
        savedfilters.undo(token + "x", by=owner)


def test_a_filter_is_saved_from_the_list_found_in_the_menu_and_deleted_with_undo(signed_in: SignIn, reception: User) -> None:
    desk = signed_in(Role.RECEPTION)
    menu = body(desk.get("/clients/filters/?lang=de", headers=HTMX))
    assert 'id="save-filter" href="/clients/filters/save/?lang=de"' in menu
    assert "Language: German" in body(desk.get("/clients/filters/save/?lang=de", headers=HTMX))
    saved = desk.post("/clients/filters/save/", {"name": "Germans", "lang": "de", "status": "active", "sort": "name"})
    assert (saved.status_code, saved["Location"]) == (303, "/clients/?lang=de")
    row = SavedFilter.objects.get()
    assert "Germans" in body(desk.get("/clients/filters/"))
    assert "Germans" in body(signed_in(Role.STYLIST).get("/clients/filters/")), "for the whole salon"
    assert 'id="save-filter"' not in body(desk.get("/clients/filters/", headers=HTMX)), "nothing to save without a filter"
    assert desk.post("/clients/filters/save/", {"name": "Germans", "lang": "de"}).status_code == 422
    desk.post(f"/clients/filters/{row.pk}/delete/")
    token = re.search(r'name="token" value="([^"]+)"', body(desk.get("/clients/")))
    assert token
    assert desk.post("/clients/filters/undo/", {"token": token[1]})["Location"] == "/clients/?lang=de"
    assert SavedFilter.objects.get().name == "Germans"
