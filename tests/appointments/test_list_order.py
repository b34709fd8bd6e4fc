"""The list of clients in the order of what is booked."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.http import QueryDict
from django.test import Client as Browser
from django.utils import timezone

from appointments.models import State
from clients import lists, neighbours
from clients.exporting import people
from clients.models import Client
from salon.core.models import Salon, User
from salon.core.roles import Role
from tests import factories

pytestmark = pytest.mark.django_db
SignIn = Callable[[Role], Browser]
HOUR = dt.timedelta(hours=1)
IN_ORDER = ["Zoé", "Anna", "Berta", "Carl", "Dora"]


@pytest.fixture
def book(salon: Salon) -> dict[str, Client]:
    """Zoé comes next, then Anna; Berta's visit is cancelled, Carl's is over, Dora was never here."""
    now = timezone.now()
    found = {name: factories.client(first_name=name, last_name="", sort_name=name.lower()) for name in IN_ORDER}
    factories.appointment(client=found["Anna"], start_at=now + 50 * HOUR)
    factories.appointment(client=found["Zoé"], start_at=now + 70 * HOUR)
    factories.appointment(client=found["Zoé"], start_at=now + 20 * HOUR)
    factories.appointment(client=found["Berta"], start_at=now + 10 * HOUR, state=State.CANCELLED, cancelled_at=now)
    factories.appointment(client=found["Carl"], start_at=now - 30 * HOUR, state=State.DONE)
    return found


def names(user: User, salon: Salon, query: str) -> list[str]:
    wanted = lists.wanted(QueryDict(query))
    found = lists.listing(user, salon, now=timezone.now(), count=5, **wanted)
    return [row.client.first_name for row in found.rows]


def test_who_comes_next_stands_first_and_who_has_nothing_booked_last(owner: User, salon: Salon, book: dict[str, Client]) -> None:
    assert names(owner, salon, "sort=next") == IN_ORDER
    assert names(owner, salon, "sort=next&q=an") == ["Anna"]
    assert names(owner, salon, "sort=last_visit") == sorted(IN_ORDER), "by the last visit nobody is sorted"


def test_pages_do_not_overlap_and_the_count_is_exact(
    owner: User, salon: Salon, book: dict[str, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "PER_PAGE", 2)
    monkeypatch.setattr(lists, "LISTED_MOST", 3)
    assert [names(owner, salon, f"sort=next&page={page}") for page in (1, 2, 3)] == [IN_ORDER[:2], IN_ORDER[2:4], IN_ORDER[4:]]
    found = lists.listing(owner, salon, text="", status="active", sort="next", number=1, now=timezone.now(), count=5)
    assert (found.count, found.is_capped) == (5, False)


def test_a_card_knows_its_place_in_that_order_and_a_file_keeps_it(owner: User, salon: Salon, book: dict[str, Client]) -> None:
    now, wanted = timezone.now(), lists.wanted(QueryDict("sort=next"))
    place = neighbours.of(owner, salon, book["Anna"], wanted, now=now)
    assert place is not None
    assert (place.number, place.before, place.after) == (2, book["Zoé"], book["Berta"])
    rows = people.listed(owner, salon, people.Wanted("contacts", sort="next"), now=now)
    assert [client.first_name for client in rows] == IN_ORDER


def test_the_head_of_the_column_sorts_and_says_so(signed_in: SignIn, book: dict[str, Client]) -> None:
    desk = signed_in(Role.RECEPTION)
    page = desk.get("/clients/").content.decode()
    assert 'id="sort-next" href="/clients/?sort=next"' in page
    page = desk.get("/clients/?sort=next").content.decode()
    assert page.index(">Zoé<") < page.index(">Anna<")
    assert page.count('aria-sort="ascending"') == 1
    assert 'id="sort-name" href="/clients/"' in page
