"""What connected systems are told: signed, whole, at least once, in order, and to public addresses only."""

import datetime as dt
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from clients import addresses, choices, consent, fold, records, stops
from clients.models import Client
from notifications.systems import line, managing, planning, sending, signing
from notifications.systems.models import Change, Delivery, OtherSystem
from salon.core.errors import Refused
from salon.core.models import AuditEvent, Notice, Salon, User
from tests import factories
from tests.fakes.hook_receiver import Receiver

SECRET = signing.new_secret()
NOW = dt.datetime(2026, 11, 24, 9, 0, tzinfo=dt.UTC)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver(SECRET)
    yield server
    server.close()


@pytest.fixture
def system(sending_salon: Salon, receiver: Receiver) -> OtherSystem:
    return factories.other_system(url=receiver.url, secret=SECRET, created_at=NOW - dt.timedelta(days=1))


def say(client: Client, event: str, by: User | None = None, **more: Any) -> None:
    said = {"purpose": "mkt.promotion", "channel": "email", "source": "in_person"} | more
    consent.record(client, event=event, by=by, **said)


def work(system: OtherSystem, now: dt.datetime = NOW) -> int:
    planning.plan(now)
    return sending.serve(system.pk, clock=lambda: now)


def states() -> list[tuple[str, int]]:
    return list(Delivery.objects.order_by("pk").values_list("state", "try_count"))


# --- what is said -------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_change_goes_out_signed_with_the_whole_state_and_nothing_else(system: OtherSystem, receiver: Receiver) -> None:
    client = factories.client(first_name="Zoé", note="Allergic to PPD")
    say(client, "grant")
    say(client, "deny", purpose="svc.reminder")
    say(client, "grant", purpose="health_notes", channel="", source="paper_form")
    assert work(system) == 1
    (request,) = receiver.requests
    assert (request.good_count, request.path, request.event["type"]) == (1, "/hook", "client.preferences.changed")
    data = request.event["data"]
    assert data["client"] == {"id": str(client.pk)}  # neither address was asked for
    assert data["preferences"] == {
        **{kind: {"email": "not_asked", "sms": "not_asked"} for kind in ("birthday", "welcome", "rebook", "review")},
        "promotion": {"email": "yes", "sms": "not_asked"},
        "reminder": {"email": "no", "sms": "yes"},
        "confirmation": {"email": "yes", "sms": "yes"},
    }
    assert data["origin"] == f"carnet:{Salon.objects.current().instance}"
    assert {"Zo", "Allergic", "health"} & {word for word in ("Zo", "Allergic", "health") if word in str(request.event)} == set()


@pytest.mark.django_db
def test_only_what_changed_something_is_told_and_health_never(system: OtherSystem, receiver: Receiver) -> None:
    client = factories.client()
    say(client, "grant", purpose="photos", channel="", source="paper_form")
    say(client, "grant", purpose="profiling", channel="", source="paper_form")
    assert (work(system), Change.objects.count()) == (0, 0)
    say(client, "deny")
    assert work(system) == 1
    say(client, "deny")  # the same No again
    assert work(system) == 0


@pytest.mark.django_db
def test_addresses_go_along_where_the_owner_said_so(system: OtherSystem, receiver: Receiver, owner: User) -> None:
    managing.change(system, name="News", url=receiver.url, has_email=True, has_phone=True, by=owner)
    client = factories.client(email="zoe@example.org", phone="+33612345678")
    say(client, "deny")
    work(system)
    assert receiver.requests[0].event["data"]["client"] == {
        "id": str(client.pk), "email": "zoe@example.org", "phone": "+33612345678",
    }  # fmt: skip


@pytest.mark.django_db
def test_a_stop_of_an_address_is_told_of_every_card_that_has_it(system: OtherSystem, receiver: Receiver) -> None:
    mother, child = (factories.client(email=email) for email in ("home@example.org", "Home@Example.org"))
    factories.client()
    say(mother, "grant")
    say(child, "grant")
    work(system)
    receiver.requests.clear()
    say(mother, "object", purpose=fold.ALL_MARKETING, source="one_click_post")
    work(system)
    told = {
        request.event["data"]["client"]["id"]: request.event["data"]["preferences"]["promotion"] for request in receiver.requests
    }
    assert told == {str(card.pk): {"email": "no", "sms": "not_asked"} for card in (mother, child)}


@pytest.mark.django_db
def test_a_no_follows_its_client_to_another_address(system: OtherSystem, receiver: Receiver, owner: User) -> None:
    OtherSystem.objects.update(has_email=True)
    by_hand = factories.other_system(way="by_hand")
    fields = [{"first_name": name, "email": f"{name}@example.org", "language": "fr"} for name in ("zoe", "ann")]
    client, silent = factories.cards(fields, by=owner)
    say(client, "deny")
    work(system)
    Delivery.objects.filter(system=by_hand).update(state="told")
    receiver.requests.clear()
    for card, address in ((client, "new@example.org"), (silent, "other@example.org")):
        card.refresh_from_db()
        records.edit(card, by=owner, version=card.version, email=address)
    work(system)
    (request,) = receiver.requests  # who answered nothing is nobody's business
    assert request.event["data"]["client"] == {"id": str(client.pk), "email": "new@example.org"}
    assert request.event["data"]["preferences"]["promotion"]["email"] == "no"
    assert Delivery.objects.filter(system=by_hand, state="waiting").count() == 1


@pytest.mark.django_db
def test_a_pause_and_a_stop_by_the_provider_are_told(system: OtherSystem, receiver: Receiver) -> None:
    client = factories.client(email="zoe@example.org")
    subject = client.subjects.get()
    until = choices.pause(stops.Link(subject.pk, "email", consent.address_hash(client, "email")[:16]), 30, now=NOW)
    work(system)
    assert receiver.requests[-1].event["data"]["marketing_paused_until"] == f"{until:%Y-%m-%dT%H:%M:%S}.000Z"
    say(client, "provider_stop", purpose=fold.EVERYTHING, channel="sms", source="sms_reply")
    work(system)
    ways = receiver.requests[-1].event["data"]["preferences"]
    assert {kind: words["sms"] for kind, words in ways.items()} == dict.fromkeys(ways, "no")


@pytest.mark.django_db
def test_erased_and_merged_cards_are_told_once_and_a_card_that_comes_back_too(system: OtherSystem, receiver: Receiver) -> None:
    survivor, taken, gone = (factories.client() for _ in range(3))
    say(taken, "deny")
    Client.objects.filter(pk=gone.pk).update(erased_at=NOW, email="", phone="")
    Client.objects.filter(pk=taken.pk).update(erased_at=NOW, merged_into=survivor)
    assert (work(system), work(system)) == (3, 0)
    assert len(receiver.requests) == 2  # what the card that is gone had answered is told of nobody any more
    told = {request.event["type"]: request.event["data"] for request in receiver.requests}
    assert told["client.erased"]["client"] == {"id": str(gone.pk)}
    assert (told["client.merged"]["client"], told["client.merged"]["into"]) == ({"id": str(taken.pk)}, {"id": str(survivor.pk)})
    Client.objects.filter(pk=taken.pk).update(erased_at=None, merged_into=None)
    assert (work(system), work(system)) == (1, 0)
    last = receiver.requests[-1].event
    assert (last["type"], last["data"]["client"]["id"]) == ("client.preferences.changed", str(taken.pk))


# --- how ----------------------------------------------------------------------------------------------------------


def test_the_check_in_the_documentation_takes_what_is_ours_and_nothing_else(settings: Any) -> None:
    (sample,) = re.findall(r"```python\n(.*?)```", (settings.BASE_DIR / "docs/webhooks.md").read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(sample, names)
    check, body, moment = names["is_from_carnet"], b'{"type":"test"}', int(time.time())
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(moment)}
    old = signing.new_secret()
    headers["webhook-signature"] = signing.sign([SECRET, old], "msg_1", moment, body)
    assert all(check(secret, headers, body) for secret in (SECRET, old))
    assert not check(signing.new_secret(), headers, body)
    assert not check(SECRET, headers, body + b" ")
    assert not check(SECRET, headers | {"webhook-timestamp": str(moment - 400)}, body)


@pytest.mark.django_db
def test_for_a_day_both_secrets_sign(system: OtherSystem, receiver: Receiver, owner: User) -> None:
    new = managing.rotate(system, by=owner, now=NOW)
    receiver.secrets = [SECRET, new]
    client = factories.client()
    say(client, "deny")
    work(system, NOW + dt.timedelta(hours=23))
    say(client, "grant", source="paper_form")
    work(system, NOW + dt.timedelta(hours=25))
    assert [request.good_count for request in receiver.requests] == [2, 1]
    receiver.secrets = [SECRET]  # control: the old one alone does not fit any more
    say(client, "deny")
    work(system, NOW + dt.timedelta(hours=26))
    assert receiver.requests[-1].good_count == 0


@pytest.mark.django_db
def test_what_happens_together_is_told_together_and_what_happens_during_a_try_after_it(
    system: OtherSystem, receiver: Receiver
) -> None:
    client = factories.client()
    for event in ("grant", "deny"):
        say(client, event)
        planning.plan(NOW)
    assert Delivery.objects.count() == 1

    def meanwhile(number: int, request: Any) -> int:
        if number == 1:
            Change.objects.create(client_number=client.pk)  # a change that commits while the first is on its way
            planning.plan(NOW)
        return 204

    # The fake answers in another thread, which a test inside a transaction cannot use: the change is made before the answer.
    deliver = line.post

    def post(url: str, body: bytes, headers: Any) -> line.Answer:
        meanwhile(len(receiver.requests) + 1, None)
        return deliver(url, body, headers)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line, "post", post)
        assert work(system) == 2
    first, second = receiver.requests
    assert second.sequence > first.sequence
    assert first.event_id != second.event_id


@pytest.mark.django_db
def test_the_sequence_rises_also_when_the_clock_goes_back(system: OtherSystem, receiver: Receiver) -> None:
    client = factories.client()
    for number in range(4):
        say(client, "deny" if number % 2 == 0 else "grant", source="paper_form")
        work(system, NOW - dt.timedelta(hours=number))
    sequences = [request.sequence for request in receiver.requests]
    assert sequences == sorted(set(sequences))
    assert len(sequences) == 4
    assert sequences[0] == int(NOW.timestamp() * 1000)  # so that it rises after a restore, too


@pytest.mark.django_db
def test_a_client_whose_event_is_refused_waits_alone_and_in_order(system: OtherSystem, receiver: Receiver) -> None:
    ann, ben = factories.client(), factories.client()
    receiver.answer = lambda number, request: 422 if request.event["data"]["client"]["id"] == str(ann.pk) else 204
    say(ann, "deny")
    work(system)
    say(ann, "grant", source="paper_form")
    say(ben, "deny")
    work(system, NOW + dt.timedelta(seconds=1))
    assert [request.event["data"]["client"]["id"] for request in receiver.requests] == [str(ann.pk), str(ben.pk)]
    receiver.answer = lambda number, request: 204
    work(system, NOW + dt.timedelta(minutes=2))
    retried = receiver.requests[2]
    assert retried.event_id == receiver.requests[0].event_id
    assert retried.event["data"]["preferences"]["promotion"]["email"] == "yes"
    assert Delivery.objects.filter(state="waiting").count() == 0


@pytest.mark.django_db
def test_a_refusal_outlives_three_days_of_silence_and_is_told_when_the_system_is_on_again(
    system: OtherSystem, receiver: Receiver, owner: User
) -> None:
    receiver.answer = lambda number, request: 503
    ann, ben = factories.client(), factories.client()
    say(ann, "deny")
    at, tried = NOW, []
    while OtherSystem.objects.get().is_on:
        if work(system, at):
            tried.append(at)
        if len(tried) == 3:
            say(ben, "object", purpose=fold.ALL_MARKETING, source="preference_page")
        at += dt.timedelta(minutes=1)
        assert at < NOW + dt.timedelta(days=4)
        row = OtherSystem.objects.get()
        at = max(at, row.next_at) if row.is_on and row.next_at else at
    assert (len(tried), tried[-1] - tried[0]) == (10, dt.timedelta(days=3))
    assert tried[1] - tried[0] == dt.timedelta(minutes=1)
    assert {state for state, _count in states()} == {"waiting"}
    notice = Notice.objects.get(user=owner, code="system_failed")
    assert (notice.facts["count"], notice.url) == (2, f"/settings/systems/{system.pk}/")
    assert AuditEvent.objects.filter(action="system.gave_up").count() == 1
    assert work(system, at + dt.timedelta(days=30)) == 0  # off is off: control of what follows
    receiver.requests.clear()
    receiver.answer = lambda number, request: 204
    managing.switch(system, is_on=True, by=owner, now=at)
    work(system, at)
    told = {
        request.event["data"]["client"]["id"]: request.event["data"]["preferences"]["promotion"]["email"]
        for request in receiver.requests
    }
    assert told == {str(ann.pk): "no", str(ben.pk): "no"}


@pytest.mark.django_db
def test_one_that_answers_again_begins_its_rests_anew(system: OtherSystem, receiver: Receiver) -> None:
    statuses = [500, 500, 204, 500]
    receiver.answer = lambda number, request: statuses[number - 1]
    client = factories.client()
    say(client, "deny")
    work(system, NOW)
    work(system, NOW + dt.timedelta(seconds=59))  # too early: not asked
    work(system, NOW + dt.timedelta(seconds=61))
    work(system, NOW + dt.timedelta(minutes=10))
    assert (len(receiver.requests), OtherSystem.objects.get().failure_count) == (3, 0)
    say(client, "grant", source="paper_form")
    work(system, NOW + dt.timedelta(minutes=11))
    assert OtherSystem.objects.get().next_at == NOW + dt.timedelta(minutes=12)


@pytest.mark.django_db
def test_nothing_leaves_while_the_installation_is_on_hold(system: OtherSystem, receiver: Receiver) -> None:
    say(factories.client(), "deny")
    planning.plan(NOW)
    later = timezone.now() + dt.timedelta(days=365)
    assert sending.due_systems(later) == [system.pk]
    Salon.objects.update(delivery=Salon.Delivery.HOLD)
    assert sending.due_systems(later) == []


@pytest.mark.django_db
def test_a_secret_that_cannot_be_read_is_an_alarm_and_no_silence(system: OtherSystem, owner: User) -> None:
    say(factories.client(), "deny")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE notifications_othersystem SET secret = 'gAAAA-broken'")
    work(system)
    row = OtherSystem.objects.defer(*sending.SEALED).get()
    assert (row.is_on, row.off_reason, Notice.objects.filter(user=owner, code="system_failed").count()) == (False, "secret", 1)
    assert managing.rotate(row, by=owner, now=NOW).startswith("whsec_")


# --- where to -----------------------------------------------------------------------------------------------------

PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "255.255.255.255",
    "224.0.0.1", "192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "fec0::1", "::ffff:10.0.0.1",
    "::ffff:127.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "2001:0:53aa:64c:0:0:f5ff:fffe", "::10.0.0.1", "2001:db8::1",
]  # fmt: skip
PUBLIC = ["93.184.216.34", "1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::"]


def resolving(*answers: list[str]) -> Callable[..., list[Any]]:
    """Return a name server that gives these addresses, one list for each question; the last again and again."""
    rest = list(answers)

    def ask(host: str, port: int, **kwargs: Any) -> list[Any]:
        found = rest.pop(0) if len(rest) > 1 else rest[0]
        return [
            (
                socket.AF_INET6 if ":" in one else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (one, port, 0, 0) if ":" in one else (one, port),
            )
            for one in found
        ]

    return ask


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Where connections were made to; none is really made."""
    places: list[Any] = []

    class Socket:
        def __init__(self, *args: Any) -> None:
            pass

        def settimeout(self, seconds: float) -> None:
            assert 0 < seconds <= line.CONNECT_SECONDS

        def connect(self, place: Any) -> None:
            places.append(place)
            raise ConnectionRefusedError

        def close(self) -> None:
            pass

    monkeypatch.setattr(socket, "socket", Socket)
    return places


def test_no_request_reaches_an_address_that_is_not_public(monkeypatch: pytest.MonkeyPatch, dialled: list[Any]) -> None:
    for address in PRIVATE:
        for found in ([address], ["1.1.1.1", address]):  # also behind a public one
            monkeypatch.setattr(socket, "getaddrinfo", resolving(found))
            assert (address, line.post("https://evil.example/x", b"", {})) == (address, line.Answer(None, "private"))
    assert dialled == []
    for address in PUBLIC:  # control
        monkeypatch.setattr(socket, "getaddrinfo", resolving([address]))
        assert line.post("https://good.example/x", b"", {}).code == "refused"
    assert [place[:2] for place in dialled] == [(address, 443) for address in PUBLIC]


def test_a_name_that_changes_its_mind_is_asked_once_and_held_to_its_answer(
    monkeypatch: pytest.MonkeyPatch, dialled: list[Any]
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolving(["93.184.216.34"], ["127.0.0.1"]))
    assert line.post("https://rebind.example/x", b"", {}).code == "refused"
    assert dialled == [("93.184.216.34", 443)]  # the address that was looked at, not the name
    assert line.post("https://rebind.example/x", b"", {}).code == "private"  # control: it had changed


@pytest.mark.parametrize(
    "url",
    [
        "http://system.example/x", "https://system.example:8443/x", "https://u:p@system.example/", "ftp://system.example/",
        "https://10.0.0.1/x", "https://169.254.169.254/latest/", "https:///x", "https://system.example/a b", "javascript:x", "",
        "https://system.example/\r\nHost: x", "//system.example/", "https://système.example/é",
    ],
)  # fmt: skip
def test_an_address_that_events_do_not_go_to_is_refused_on_the_page(url: str) -> None:
    with pytest.raises(Refused):
        line.read(url)


def test_plain_http_to_this_machine_is_for_tests_alone(settings: Any) -> None:
    assert line.read("http://127.0.0.1:8000/x") == "http://127.0.0.1:8000/x"
    assert line.read(" https://System.Example:443/a?b=1 ") == "https://system.example/a?b=1"
    settings.TESTING = False
    with pytest.raises(Refused):
        line.read("http://127.0.0.1:8000/x")
    assert line.post("http://127.0.0.1:8000/x", b"", {}).code == "url"


def test_no_redirect_is_followed_and_a_dripping_or_endless_answer_ends(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = {"webhook-id": "x", "webhook-timestamp": "1", "webhook-signature": "v1,x"}
    receiver.answer = lambda number, request: (307, {"Location": receiver.url})
    assert line.post(receiver.url, b"{}", headers) == line.Answer(307, "redirect")
    assert len(receiver.requests) == 1
    monkeypatch.setattr(line, "READ_SECONDS", 0.5)
    # Past 64 kB nothing is read; what it had said until then, counts.
    endless = (b"X-Much: " + b"y" * 9000 + b"\r\n", 0.0, line.Answer(200))
    for piece, pause, expected in ((b"X-Drip: 1\r\n", 0.05, line.Answer(None, "timeout")), endless):
        with socket.create_server(("127.0.0.1", 0)) as server:
            began = time.monotonic()
            threading.Thread(target=_drip, args=(server, piece, pause), daemon=True).start()
            answer = line.post(f"http://127.0.0.1:{server.getsockname()[1]}/", b"{}", headers)
            assert answer == expected
            assert time.monotonic() - began < 5


def _drip(server: socket.socket, piece: bytes, pause: float) -> None:
    sock, _peer = server.accept()
    try:
        sock.sendall(b"HTTP/1.1 200 OK\r\n")
        for _ in range(200):
            sock.sendall(piece)
            time.sleep(pause)
    except OSError:
        pass
    finally:
        sock.close()


# --- with threads -------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_slow_system_delays_no_other_and_two_senders_serve_one_system_once(committed: Salon) -> None:
    slow, quick = Receiver(SECRET), Receiver(SECRET)
    gate = threading.Event()
    slow.answer = lambda number, request: 204 if gate.wait(8) else 500
    for server, name in ((slow, "Slow"), (quick, "Quick")):
        factories.other_system(name=name, url=server.url, secret=SECRET)
    say(factories.client(), "deny")
    try:
        planning.plan(timezone.now())
        assert sending.deliver_due(is_waiting=False) == 2
        until = time.monotonic() + 5
        while not Delivery.objects.filter(system__name="Quick", state="told").exists():
            assert time.monotonic() < until
            time.sleep(0.02)
        assert Delivery.objects.get(system__name="Slow").state == "waiting"
        assert sending.deliver_due() == 0  # it is being served: nobody else begins
        gate.set()
        while not Delivery.objects.filter(system__name="Slow", state="told").exists():
            assert time.monotonic() < until
            time.sleep(0.02)
        assert (len(slow.requests), len(quick.requests)) == (1, 1)
        while OtherSystem.objects.filter(lease_token__isnull=False).exists():
            time.sleep(0.02)
    finally:
        gate.set()
        slow.close()
        quick.close()


@pytest.mark.django_db(transaction=True)
def test_a_change_that_commits_late_is_not_missed_and_one_that_comes_to_nothing_is_not_told(committed: Salon) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    factories.other_system(created_at=timezone.now())
    late, early, never = (factories.client() for _ in range(3))
    begun, go_on = threading.Event(), threading.Event()

    def lately() -> None:
        try:
            with transaction.atomic():
                say(late, "deny")  # the lower numbers
                begun.set()
                assert go_on.wait(10)
        finally:
            connection.close()

    thread = threading.Thread(target=lately)
    thread.start()
    assert begun.wait(10)
    say(early, "deny")
    with transaction.atomic():
        say(never, "deny")
        transaction.set_rollback(True)
    planning.plan(timezone.now())
    assert set(Delivery.objects.values_list("client_number", flat=True)) == {early.pk}
    go_on.set()
    thread.join()
    planning.plan(timezone.now())
    assert set(Delivery.objects.values_list("client_number", flat=True)) == {early.pk, late.pk}


@pytest.mark.django_db(transaction=True)
def test_two_that_plan_at_once_write_each_thing_once(committed: Salon) -> None:
    system = factories.other_system(created_at=timezone.now())
    for _ in range(20):
        say(factories.client(), "deny")
    gone = factories.client()
    Client.objects.filter(pk=gone.pk).update(erased_at=timezone.now())
    start, faults = threading.Barrier(3), []

    def plan() -> None:
        try:
            start.wait(10)
            planning.plan(timezone.now())
        except Exception as error:  # noqa: BLE001 (a thread's fault is the test's)
            faults.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=plan) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert faults == []
    assert Delivery.objects.filter(system=system).count() == 21
    assert Change.objects.count() == 0


def test_addresses_know_their_holders_in_any_spelling(db: None) -> None:
    card = factories.client(email="Zoé@Bücher.example")
    hmac = addresses.hash_of("email", "zoé@xn--bcher-kva.example")
    assert addresses.holders({("email", hmac), ("sms", "x")}) == {("email", hmac): [card.pk], ("sms", "x"): []}
