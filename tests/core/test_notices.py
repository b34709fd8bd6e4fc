"""The bell: what was done meanwhile, for who asked, in their language, until they have read it."""

import datetime as dt
import re
from collections.abc import Callable

import pytest
from django.test import Client as Browser
from django.utils import timezone

from clients import tasks
from salon.core import notices
from salon.core.models import Notice, User
from salon.core.roles import Role

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def olivia(owner: User) -> User:
    User.objects.filter(pk=owner.pk).update(language="en")
    notices.tell(owner, "import_done", url="/clients/import/1/", now=timezone.now(), new_count=812, updated_count=40)
    return owner


def test_a_notice_is_told_in_the_readers_language(olivia: User, signed_in: Callable[[Role], Browser]) -> None:
    browser = signed_in(Role.OWNER)
    assert "812 new clients, 40 filled in." in browser.get("/notices/").content.decode()
    User.objects.update(language="de")
    assert "812 neue Kunden" in browser.get("/notices/").content.decode()


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"new_count": 51, "refused_count": 9}, "Import done: 51 new clients. 9 rows were refused."),
        ({"new_count": 1, "updated_count": 2, "refused_count": 1}, "Import done: 1 new client, 2 filled in. 1 row was refused."),
        ({"new_count": 51, "refused_count": 0}, "Import done: 51 new clients."),
    ],
)
def test_the_bell_says_how_many_rows_of_a_list_were_refused(
    owner: User, signed_in: Callable[[Role], Browser], facts: dict[str, int], words: str
) -> None:
    User.objects.filter(pk=owner.pk).update(language="en")
    notices.tell(owner, "import_done", url="/clients/import/3/", now=timezone.now(), **facts)
    assert f"{words}<" in re.sub(r"\s*<", "<", signed_in(Role.OWNER).get("/notices/").content.decode())


def test_a_notice_is_only_for_who_asked(olivia: User, signed_in: Callable[[Role], Browser]) -> None:
    assert "812 new clients" not in signed_in(Role.MANAGER).get("/notices/").content.decode()


def test_the_bell_counts_until_it_is_read(olivia: User, signed_in: Callable[[Role], Browser]) -> None:
    browser = signed_in(Role.OWNER)
    assert 'class="s-bell-count">1<' in browser.get("/clients/").content.decode()
    assert browser.post("/notices/read/", {"next": "/clients/"}).headers["Location"] == "/clients/"
    assert 'class="s-bell-count" hidden>0<' in browser.get("/clients/").content.decode()


def test_the_bell_hears_nothing_while_nothing_is_new(olivia: User, signed_in: Callable[[Role], Browser]) -> None:
    browser = signed_in(Role.OWNER)
    mark = notices.bell(olivia).mark
    assert browser.get(f"/notices/?mark={mark}", headers=HTMX).status_code == 204
    notices.tell(olivia, "import_undone", url="/clients/import/2/", now=timezone.now(), taken_back_count=1)
    answer = browser.get(f"/notices/?mark={mark}", headers=HTMX)
    assert answer.status_code == 200
    assert 'id="bell-count" class="s-bell-count" hx-swap-oob="true">2<' in answer.content.decode()


def test_the_part_that_is_asked_for_is_that_of_the_page(olivia: User, signed_in: Callable[[Role], Browser]) -> None:
    browser = signed_in(Role.OWNER)
    part = browser.get("/notices/", headers=HTMX).content.decode()
    page = browser.get("/me/").content.decode()
    for words in ("812 new clients, 40 filled in.", "/clients/import/1/", "All notices"):
        assert words in part
        assert words in page


def test_a_second_notice_about_the_same_page_takes_the_place_of_the_unread_first(olivia: User) -> None:
    notices.tell(olivia, "import_undone", url="/clients/import/1/", now=timezone.now(), taken_back_count=1)
    assert list(Notice.objects.values_list("code", flat=True)) == ["import_undone"]


def test_a_code_that_nobody_can_tell_is_never_written(olivia: User) -> None:
    with pytest.raises(KeyError):
        notices.tell(olivia, "nonsense", url="/", now=timezone.now())


def test_notices_are_deleted_a_month_after_they_were_read_and_after_three_in_any_case(owner: User) -> None:
    now, day = timezone.now(), dt.timedelta(days=1)
    ages: list[tuple[int, int | None]] = [(29, 29), (40, 29), (40, 31), (89, None), (91, None), (91, 29)]
    for number, (told, read) in enumerate(ages):
        read_at = None if read is None else now - read * day
        Notice.objects.create(user=owner, code="import_done", url=f"/{number}/", at=now - told * day, read_at=read_at)
    assert notices.tidy(now) == 3
    assert list(Notice.objects.order_by("pk").values_list("url", flat=True)) == ["/0/", "/1/", "/3/"]


def test_the_worker_deletes_them(owner: User) -> None:
    Notice.objects.create(user=owner, code="import_done", at=timezone.now() - dt.timedelta(days=100))
    tasks.tidy()
    assert not Notice.objects.exists()
