"""Every page in every size, theme and language: no accessibility fault, nothing wider than the screen, no broken page.

The pages come from the permission table, so that a new page is looked at without anybody thinking of it.
"""

from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext
from pytest_django.live_server_helper import LiveServer

from appointments.models import Appointment, Service, Staff
from clients import deletions, holds, inactivity, rights, tagging
from clients.erasure import act
from clients.merging import merges
from clients.models import (
    Breach,
    CardRun,
    Client,
    ConsentText,
    Deletion,
    DeletionRun,
    DuplicatePair,
    Export,
    Import,
    Merge,
    Restriction,
    RetentionHold,
    RetentionWarning,
    SavedFilter,
    TagRun,
)
from notifications import links
from notifications.demo import salon as demo
from notifications.models import Campaign, Delivery, Message, OtherSystem, Reply, State
from salon.core.models import User
from salon.core.roles import Role
from tests import factories
from tests.house import permissions
from tests.journeys.eyes import Eyes, Fault, told

pytestmark = [pytest.mark.browser, pytest.mark.matrix, pytest.mark.long, pytest.mark.django_db(transaction=True)]

LANGUAGES = ("en", "fr", "de")
# Addresses that answer with a file, a redirect, a plain word or JSON; and those that need a state the demo has not got.
NO_PAGE = {
    "home", "core:healthz", "appointments:today", "mfa_download_recovery_codes", "mfa_view_recovery_codes",
    "mfa_generate_recovery_codes", "mfa_deactivate_totp", "mfa_authenticate", "mfa_reauthenticate", "account_reauthenticate",
    "mfa_activate_totp", "core:setup_closed", "core:link", "core:second_factor", "notifications:form_code", "clients:signed_form",
    "clients:import_template", "clients:import_faulty", "clients:export_file", "clients:merge", "notifications:hook",
}  # fmt: skip
SIGNED_OUT = {name for name, row in permissions.TABLE.items() if row.is_public}


def paths(*, is_signed_in: bool) -> list[str]:
    """Return the address of every page, filled in with rows of the demo salon."""
    client = Client.objects.active().exclude(email="").exclude(note="").filter(messages__isnull=False).order_by("pk")[0]
    today = factories.today().isoformat()
    rows: dict[str, Any] = {
        "client": client.pk,
        "visit": Appointment.objects.standing().order_by("start_at")[0].pk,
        "service": Service.objects.all()[0].pk,
        "staff": Staff.objects.all()[0].pk,
        "message": Message.objects.filter(state=State.UNKNOWN)[0].pk,
        "campaign": Campaign.objects.all()[0].pk,
        "wording": ConsentText.objects.earliest("pk").pk,
        "member": User.objects.exclude(role=Role.OWNER)[0].pk,
        "import": (Import.objects.first() or factories.imported()).pk,
        "export": (Export.objects.first() or factories.exported(by=User.objects.get(role=Role.OWNER))).pk,
        "restriction": Restriction.objects.latest("pk").pk,
        "restricted_client": Restriction.objects.latest("pk").client_id,
        "deletion_run": DeletionRun.objects.latest("pk").pk,
        "breach": Breach.objects.latest("pk").pk,
        "deletion": Deletion.objects.latest("pk").pk,
        "merge": (Merge.objects.first() or _merge(client)).pk,
        "tagrun": TagRun.objects.latest("pk").pk if TagRun.objects.exists() else _tag_run(client),
        "cardrun": CardRun.objects.latest("pk").pk,
        "hold": RetentionHold.objects.latest("pk").pk,
        "pair": DuplicatePair.objects.latest("pk").pk,
        "filter": SavedFilter.objects.latest("pk").pk,
        "reply": Reply.objects.latest("pk").pk,
        "system": OtherSystem.objects.latest("pk").pk,
        "delivery": Delivery.objects.latest("pk").pk,
    }
    found = []
    for name, row in permissions.TABLE.items():
        if row.method == "get" and name not in NO_PAGE and (name in SIGNED_OUT) is not is_signed_in:
            args = {key: today if key == "iso" else rows.get(value, value) for key, value in row.args.items()}
            found.append(reverse(name, kwargs=args))
    if is_signed_in:
        found += [f"{reverse('notifications:new')}?sel={client.pk}", f"{reverse('clients:list')}?select=1&sel={client.pk}"]
        found += [f"{reverse('clients:list')}?lang=fr&unseen=3m", f"{reverse('clients:list')}?mail=yes&q=ma&select=1"]
        found += [f"{reverse(f'clients:{name}')}?sel={client.pk}" for name in ("tag_many", "untag_many", "labels")]
        found += [f"{reverse('clients:delete_many')}?sel={client.pk}&sel={pk}" for pk in _asleep()]
        found += [f"{reverse(f'clients:{name}')}?lang=fr&born=5" for name in ("filter", "filters", "filter_save")]
        twins = Client.objects.active().order_by("pk")[:4]
        found += [f"{reverse('clients:merge')}?{'&'.join(f'id={card.pk}' for card in some)}" for some in (twins[:2], twins)]
        found += [f"{reverse('clients:merge_with', args=[client.pk])}?q=a"]
        found += [f"{reverse('core:activity')}?client={client.pk}", f"{reverse('core:activity')}?q=zzzz", "/search/?q=team"]
        found += [f"{reverse('clients:list')}?q=zzzz", f"{reverse('notifications:list')}?box=sent", "/no-such-page/"]
    if not is_signed_in:
        return [*found, reverse("notifications:form", args=[links.form_token(client, now=timezone.now())])]
    return found


def _asleep() -> list[int]:
    return list(Client.objects.filter(inactive_reason="moved").values_list("pk", flat=True)[:1])


def _merge(client: Client) -> Merge:
    """Return a merge of two cards of the demo, with a visit since."""
    one, two = Client.objects.active().exclude(pk=client.pk).order_by("-pk")[:2]
    done = merges.merge([one.pk, two.pk], main=one.pk, by=User.objects.get(role=Role.OWNER), now=timezone.now())
    factories.appointment(client=Client.objects.get(pk=one.pk))
    return done


def _tag_run(client: Client) -> int:
    """Return a tag that was put on one card and not on another."""
    ids = {client.pk, Client.objects.exclude(pk=client.pk)[0].pk}
    owner = User.objects.get(role=Role.OWNER)
    tagging.add({client.pk}, name="bridal", by=owner, now=timezone.now())
    return tagging.add(ids, name="bridal", by=owner, now=timezone.now()).pk


@pytest.fixture
def olivia(live_server: LiveServer, transactional_db: None, language: str) -> User:
    """The owner of a demo salon, in whose country the language of the walk is spoken."""
    demo.fill(
        client_count=60, language=language, seed=7, now=timezone.now(), country={"en": "GB", "fr": "FR", "de": "DE"}[language]
    )
    user = User.objects.get(role=Role.OWNER)
    factories.imported(by=user)
    factories.exported(by=user, is_protected=True)
    of_rights(user)
    of_others(user)
    return user


def of_rights(user: User) -> None:
    """One of each that the pages about rights show: a deletion, an erasure, a restriction, a breach, cards that will go."""
    now, one, two, three, four, five = timezone.now(), *Client.objects.filter(messages=None).order_by("-pk")[:5]
    Client.objects.filter(pk=five.pk).update(inactive_at=now, inactive_reason="moved")
    RetentionWarning.objects.create(client=four, code="clients", warned_on=now.date(), erase_on=now.date())
    holds.keep(five, reason="Comes from Canada every three years", by=user, now=now)
    DeletionRun.objects.create(by=user, settled_at=now, done_count=3, refused={str(four.pk): "active"})
    inactivity.make_many_active({four.pk, five.pk + 1_000_000}, by=user, now=now)  # two that stay as they are, and why
    deletions.delete(one, is_asked=False, is_notice_wanted=False, by=user, now=now)
    act.erase(two, ground="asked", by=user, now=now)
    given = {"reason": "disputed", "note": "the year", "until": now.date(), "known_by": "document"}
    rights.restrict(three, **given, by=user, now=now)  # type: ignore[arg-type]
    Breach.objects.create(discovered_at=now, what="A list went to the wrong person", data="names", people_count=12, by=user)


def of_others(user: User) -> None:
    """One of each that comes from outside or is told to somebody outside, a pair, a filter."""
    now, one, two = timezone.now(), *Client.objects.active().exclude(phone="").order_by("pk")[8:10]
    SavedFilter.objects.create(name="Regulars", query="lang=de", by=user)
    DuplicatePair.objects.get_or_create(low=one, high=two, defaults={"score": 60, "band": "likely", "reasons": ["phone"]})
    said = {"sender": str(one.phone), "body": "Ça m'arrange", "meaning": "other"}
    Reply.objects.create(provider="twilio", provider_id="SM1", client=one, at=now, **said)
    system = factories.other_system()
    system.deliveries.create(kind="client.preferences.changed", client_number=one.pk, sequence=1)


def walk(context: BrowserContext, *, is_signed_in: bool) -> list[Fault]:
    """Open every page, look at it, and return what is wrong with each. An address that leads to a page seen before is left."""
    faults: list[Fault] = []
    page, seen = context.new_page(), set[str]()
    eyes = Eyes(page)

    def note(rule: str, what: str) -> None:
        faults.append(Fault(page.url, 0, "", rule, what))

    page.on("pageerror", lambda error: note("script", str(error)))
    page.on("console", lambda line: note("console", line.text) if "Content Security" in line.text else None)
    for path in paths(is_signed_in=is_signed_in):
        answer = page.goto(path)
        assert answer is not None
        assert answer.status < 500, path
        if page.url not in seen:
            seen.add(page.url)
            faults += eyes.look(path)
    context.close()
    return faults


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_whole_in_every_width_and_theme(
    browser: Chromium, live_server: LiveServer, olivia: User, language: str
) -> None:
    User.objects.filter(pk=olivia.pk).update(language=language, theme=User.Theme.AUTO)
    desk = Browser()
    desk.force_login(User.objects.get(pk=olivia.pk))
    look: Any = {"base_url": live_server.url, "locale": language}
    inside, outside = browser.new_context(**look), browser.new_context(**look)
    inside.add_cookies([{"name": "sessionid", "value": desk.cookies["sessionid"].value, "url": live_server.url}])
    faults = [*walk(inside, is_signed_in=True), *walk(outside, is_signed_in=False)]
    assert faults == [], told(faults)
