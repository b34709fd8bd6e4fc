"""The team: invitations, roles, and an owner who can always sign in."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.conf import LazySettings
from django.core import mail
from django.db import connection
from django.test import Client as Browser
from django.utils import translation

from salon.core import notices, team
from salon.core.errors import Refused
from salon.core.models import AuditEvent, Salon, User
from salon.core.roles import Role
from tests import people

SignIn = Callable[[Role], Browser]


def path_parts(path: str) -> tuple[int, str]:
    _empty, _join, uid, token, _end = path.split("/")
    return int(uid), token


@pytest.fixture
def second_owner(salon: Salon) -> User:
    return User.objects.create_user("paul@example.org", people.PASSWORD, name="Paul", role=Role.OWNER)


@pytest.fixture
def invited(owner: User) -> User:
    return team.invite(email="new@example.org", name="Nora", role=Role.RECEPTION, language="fr", by=owner)


def test_an_invited_person_cannot_sign_in_before_joining(invited: User) -> None:
    assert not invited.has_usable_password()
    assert team.invited(*path_parts(team.join_path(invited))) == invited


def test_a_join_link_works_once_and_for_seven_days(invited: User) -> None:
    uid, token = path_parts(team.join_path(invited))
    with time_machine.travel("2099-01-01"):
        assert team.invited(uid, token) is None
    assert team.invited(uid, token[:-1] + ("A" if token[-1] != "A" else "B")) is None
    assert team.join(uid, token, password=people.PASSWORD).check_password(people.PASSWORD)
    with pytest.raises(Refused):
        team.join(uid, token, password="another long passphrase")


def test_a_join_link_dies_with_a_change_of_role_or_a_closed_account(invited: User, owner: User) -> None:
    uid, token = path_parts(team.join_path(invited))
    team.change_role(invited, to=Role.STYLIST, by=owner)
    assert team.invited(uid, token) is None


def test_nobody_is_invited_twice(invited: User, owner: User) -> None:
    with pytest.raises(Refused) as refused:
        team.invite(email="NEW@example.org", name="Nora", role=Role.STYLIST, language="fr", by=owner)
    assert refused.value.field == "email"


def test_only_an_owner_changes_the_team(stylist: User, owner: User) -> None:
    manager = people.user_with(Role.MANAGER)
    changes: list[Callable[[], object]] = [
        lambda: team.invite(email="x@example.org", name="X", role=Role.OWNER, language="fr", by=manager),
        lambda: team.change_role(stylist, to=Role.MANAGER, by=manager),
        lambda: team.deactivate(stylist, by=manager),
        lambda: team.remove_second_factor(stylist, by=manager),
    ]
    for change in changes:
        with pytest.raises(Refused):
            change()


def test_nobody_changes_their_own_place(owner: User, second_owner: User) -> None:
    with pytest.raises(Refused, match="own place"):
        team.change_role(owner, to=Role.STYLIST, by=owner)
    with pytest.raises(Refused, match="own place"):
        team.deactivate(owner, by=owner)


def test_an_owner_who_never_joined_does_not_count_as_the_last_one(owner: User, second_owner: User) -> None:
    second_owner.set_unusable_password()
    second_owner.save()
    with pytest.raises(Refused, match="who can sign in"):
        team.deactivate(owner, by=second_owner)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", ["demote", "deactivate"])
def test_two_owners_who_remove_each_other_leave_one(owner: User, second_owner: User, act: str) -> None:
    gate, results = threading.Barrier(2), []

    def one(member: User, by: User) -> None:
        gate.wait()
        try:
            if act == "demote":
                team.change_role(member, to=Role.STYLIST, by=by)
            else:
                team.deactivate(member, by=by)
            results.append("done")
        except Refused:
            results.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=pair) for pair in ((owner, second_owner), (second_owner, owner))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["done", "refused"]
    assert User.objects.filter(role=Role.OWNER, is_active=True).count() == 1


@pytest.mark.parametrize("act", ["role", "deactivate"])
def test_a_change_ends_the_sessions_of_the_member(act: str, owner: User, stylist: User, signed_in: SignIn) -> None:
    theirs = signed_in(Role.STYLIST)
    assert theirs.get("/me/").status_code == 200
    if act == "role":
        team.change_role(stylist, to=Role.RECEPTION, by=owner)
    else:
        team.deactivate(stylist, by=owner)
    assert theirs.get("/me/").headers["Location"].startswith("/accounts/login/")


def test_every_change_is_audited_without_a_name(invited: User, owner: User) -> None:
    team.change_role(invited, to=Role.STYLIST, by=owner)
    team.deactivate(invited, by=owner)
    team.reactivate(invited, by=owner)
    actions = list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))
    assert actions == ["team.invited", "team.role_changed", "team.deactivated", "team.reactivated"]
    assert "Nora" not in str(list(AuditEvent.objects.values()))


def test_the_page_invites_shows_the_link_and_mails_it(salon: Salon, signed_in: SignIn) -> None:
    browser = signed_in(Role.OWNER)
    answer = browser.post("/settings/team/invite/", {"name": "Nora", "email": "nora@example.org", "role": "stylist"}, follow=True)
    path = team.join_path(User.objects.get(email="nora@example.org"))
    shown = answer.content.decode()
    assert path.rsplit(":", 2)[0].rsplit("/", 1)[0] in shown
    assert len(mail.outbox) == 1
    assert "It is also being mailed to nora@example.org." in shown
    assert "/join/" in mail.outbox[0].body
    assert Browser().get(path).status_code == 200
    joined = Browser()
    assert joined.post(path, {"password": "short"}).status_code == 422
    assert joined.post(path, {"password": people.PASSWORD}).headers["Location"] == "/"
    assert joined.get("/me/").status_code == 200
    assert Browser().get(path).status_code == 404


def test_the_page_says_when_the_link_was_not_mailed(salon: Salon, signed_in: SignIn, settings: LazySettings) -> None:
    settings.EMAIL_BACKEND = "notifications.staffmail.EmailBackend"
    form = {"name": "Nora", "email": "nora@example.org", "role": "stylist"}
    shown = signed_in(Role.OWNER).post("/settings/team/invite/", form, follow=True).content.decode()
    assert "It was not mailed from here: pass it on yourself." in shown
    assert "also mailed" not in shown


def test_who_joins_keeps_the_language_of_the_page(invited: User, salon: Salon) -> None:
    browser = Browser(headers={"Accept-Language": "de"})
    path = team.join_path(invited)
    assert browser.get(path).headers["Content-Language"] == "de"
    browser.post(path, {"password": people.PASSWORD})
    invited.refresh_from_db()
    assert invited.language == "de"


def test_after_signing_out_the_page_speaks_the_language_of_the_page_before(stylist: User, salon: Salon) -> None:
    User.objects.filter(pk=stylist.pk).update(language="fr")
    browser = Browser(headers={"Accept-Language": "de"})
    browser.force_login(stylist)
    answer = browser.post("/accounts/logout/", follow=True)
    assert answer.request["PATH_INFO"] == "/accounts/login/"
    assert answer.headers["Content-Language"] == "fr"
    with translation.override("fr"):
        assert translation.gettext("You are signed out.") in answer.content.decode()


def test_the_page_changes_a_role_and_takes_it_back(stylist: User, signed_in: SignIn) -> None:
    browser = signed_in(Role.OWNER)
    answer = browser.post(f"/settings/team/{stylist.pk}/role/", {"role": "manager"}, follow=True)
    assert "is now: Manager" in answer.content.decode()
    browser.post(f"/settings/team/{stylist.pk}/role/", {"token": "stylist"})
    stylist.refresh_from_db()
    assert stylist.role == Role.STYLIST


def test_the_page_closes_an_account_and_undo_opens_it(stylist: User, signed_in: SignIn) -> None:
    browser = signed_in(Role.OWNER)
    page = browser.post(f"/settings/team/{stylist.pk}/deactivate/", follow=True).content.decode()
    assert "can no longer sign in" in page
    assert f"/settings/team/{stylist.pk}/reactivate/" in page
    browser.post(f"/settings/team/{stylist.pk}/reactivate/", {"token": "undo"})
    stylist.refresh_from_db()
    assert stylist.is_active


def test_an_owner_removes_a_lost_second_factor_after_a_question(stylist: User, signed_in: SignIn) -> None:
    Authenticator.objects.create(user=stylist, type=Authenticator.Type.TOTP, data={"secret": "x"})
    browser = signed_in(Role.OWNER)
    assert stylist.name in browser.get(f"/settings/team/{stylist.pk}/second-factor/").content.decode()
    assert Authenticator.objects.exists()
    browser.post(f"/settings/team/{stylist.pk}/second-factor/")
    assert not Authenticator.objects.exists()


def test_the_join_link_of_a_stylist_leads_on_to_a_column(invited: User, owner: User, signed_in: SignIn) -> None:
    browser = signed_in(Role.OWNER)
    assert "has a column in the calendar" not in browser.get(f"/settings/team/{invited.pk}/link/").content.decode()
    team.change_role(invited, to=Role.STYLIST, by=owner)
    assert "until Nora has a column in the calendar" in browser.get(f"/settings/team/{invited.pk}/link/").content.decode()


def test_every_owner_and_whom_it_is_about_hear_of_a_change_among_the_owners(
    owner: User, second_owner: User, stylist: User, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    second_owner.language = "de"
    second_owner.save(update_fields=["language"])
    with django_capture_on_commit_callbacks(execute=True):
        team.change_role(stylist, to=Role.OWNER, by=owner)
    to_paul, to_stylist = sorted(mail.outbox, key=lambda one: one.to != [second_owner.email])
    assert to_stylist.to == [stylist.email]
    assert f"made {stylist.name} an owner" in to_stylist.body
    assert to_paul.subject.startswith("Änderung im Team")
    with translation.override("de"):
        (line,) = notices.bell(second_owner).lines
    assert stylist.name in line.words
    assert "Inhaber" in line.words
    assert notices.bell(owner).lines == [], "who did it knows"

    mail.outbox.clear()
    with django_capture_on_commit_callbacks(execute=True):
        team.change_role(people.user_with(Role.RECEPTION), to=Role.MANAGER, by=owner)
    assert mail.outbox == [], "the control: nothing about owners"


def test_a_closed_owner_hears_of_it_by_mail(
    owner: User, second_owner: User, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        team.remove_second_factor(second_owner, by=owner)
        team.deactivate(second_owner, by=owner)
    assert [one.to for one in mail.outbox] == [[second_owner.email]] * 2
