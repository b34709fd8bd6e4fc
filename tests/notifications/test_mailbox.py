"""Returned mail, from a mailbox at IMAP's wire format: what counts, once, and whose mailbox suffers nothing."""

import contextlib
import datetime as dt
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from clients import addresses, consent
from clients.erasure import act
from clients.merging import merges
from clients.models import Address, ConsentEvent
from notifications import circuit, dispatch, health, history, messageids, planner, words
from notifications.bounces import imap, mailbox, reading, receipts
from notifications.bounces.imap import Fault, Inbox
from notifications.models import Mailbox, Message, Provider, ProviderEvent, State
from notifications.providers.base import Outcome, Phase, Result
from notifications.providers.wire import Security, Server
from salon.core.models import Notice, Salon, User
from tests import factories
from tests.fakes.imap_server import ImapServer
from tests.fakes.provider import FakeProvider
from tests.notifications import returned

pytestmark = pytest.mark.django_db

ANN = "ann@example.org"


@pytest.fixture
def box(sending_salon: Salon) -> Iterator[ImapServer]:
    """A mailbox that is entered in the settings."""
    with ImapServer() as server:
        Mailbox.objects.create(
            host="127.0.0.1", port=server.port, security="none", user=server.user, password=server.password,
            changed_at=dt.datetime(2026, 11, 1, tzinfo=dt.UTC),
        )  # fmt: skip
        yield server


@pytest.fixture
def message(fake: FakeProvider, now: dt.datetime) -> Message:
    """A reminder that the mail server took."""
    return sent(now)


def sent(now: dt.datetime, expected: State = State.ACCEPTED, **fields: Any) -> Message:
    client = factories.client(**{"email": ANN, **fields})
    visit = factories.appointment(
        client=client, start_at=now + dt.timedelta(hours=25), is_notice_wanted=False, time_set_at=now - dt.timedelta(days=9),
        is_overbooked=True,
    )  # fmt: skip
    planner.plan(now)
    dispatch.deliver_due(now=now)
    found = Message.objects.get(client=client, appointment=visit)
    assert found.state == expected
    return found


def id_of(message: Message, fake: FakeProvider) -> str:
    """Return the Message-ID as it stood in the mail that left."""
    (found,) = [one.message_id for one in fake.delivered if one.message_id.startswith(f"<m.{message.pk}.")]
    return found


def read(now: dt.datetime) -> dict[str, int]:
    """Let the clock tick once more, a minute after the last time."""
    Mailbox.objects.update(looked_at=None)
    return dict(reading.read_due(now))


def state(message: Message) -> tuple[str, str]:
    message.refresh_from_db()
    return message.state, message.reason


def stop() -> str:
    return Address.objects.filter(channel="email", hmac=addresses.hash_of("email", ANN)).values_list("scope", flat=True)[0]


# --- what a report does -------------------------------------------------------------------------------------------


def test_a_mailbox_that_does_not_exist_ends_the_message_and_stops_the_address(
    box: ImapServer, fake: FakeProvider, message: Message, now: dt.datetime
) -> None:
    number = box.put(returned.bounce(id_of(message, fake), ANN))
    later = now + dt.timedelta(hours=1)
    assert read(later) == {"reports": 1, "taken": 1, "mails": 1}
    assert state(message) == (State.BOUNCED, "returned_5.1.1")
    assert addresses.is_undeliverable("email", ANN)
    assert box.seen == [number]
    (line,) = history.lines([message], later)
    assert "The mailbox does not exist (5.1.1). Came back on " in line.why
    assert "24" in line.why


def test_the_same_report_twice_is_once(box: ImapServer, fake: FakeProvider, message: Message, now: dt.datetime) -> None:
    for _ in range(2):
        box.put(returned.bounce(id_of(message, fake), ANN))
    read(now)
    Mailbox.objects.update(last_number=0)  # as after a crash before the place was kept
    read(now)
    assert ProviderEvent.objects.count() == 1
    assert box.seen == [1, 2]


@pytest.mark.parametrize(
    ("status", "action", "expected"),
    [
        ("4.4.1", "delayed", State.ACCEPTED),
        ("4.4.7", "failed", State.BOUNCED),
        ("5.2.2", "failed", State.BOUNCED),
        ("5.7.1", "failed", State.BOUNCED),
        ("5.4.4", "failed", State.BOUNCED),
        ("5.0.0", "failed", State.BOUNCED),
        ("2.0.0", "delivered", State.DELIVERED),
    ],
)
def test_what_passes_or_lies_with_us_never_stops_an_address(
    box: ImapServer, fake: FakeProvider, message: Message, now: dt.datetime, status: str, action: str, expected: str
) -> None:
    box.put(returned.bounce(id_of(message, fake), ANN, status, action=action, diagnostic="smtp; so it is"))
    read(now)
    assert state(message)[0] == expected
    assert stop() == ""
    assert box.seen == [1], "it was about a mail of ours"


def test_a_refused_sender_rings_the_owners_bell(
    box: ImapServer, fake: FakeProvider, message: Message, now: dt.datetime, owner: User
) -> None:
    box.put(returned.bounce(id_of(message, fake), ANN, "5.7.26", diagnostic=""))
    read(now)
    assert [(row.user_id, row.code) for row in Notice.objects.all()] == [(owner.pk, "mail.refused")]


def test_a_full_mailbox_counts_only_on_three_days(box: ImapServer, fake: FakeProvider, now: dt.datetime) -> None:
    """I-28: on fewer than three days it never marks an address."""
    for day in range(3):
        at = now + dt.timedelta(days=day)
        for _ in range(2):
            one = sent(at)
            box.put(returned.bounce(id_of(one, fake), ANN, "5.2.2", diagnostic=""))
        assert stop() == ""
        read(at)
    assert stop() == "delivery"


def test_servers_that_cannot_be_reached_for_days_say_nothing_about_a_mailbox(
    box: ImapServer, fake: FakeProvider, now: dt.datetime
) -> None:
    for day in range(4):
        at = now + dt.timedelta(days=day)
        box.put(returned.bounce(id_of(sent(at), fake), ANN, "4.4.7", diagnostic=""))
        read(at)
    assert stop() == ""


def test_a_message_of_unknown_fate_was_taken_if_it_comes_back(box: ImapServer, fake: FakeProvider, now: dt.datetime) -> None:
    fake.at_dot = [Result(Outcome.UNKNOWN, "timeout", Phase.DOT)]
    message = sent(now, State.UNKNOWN)
    box.put(returned.bounce(id_of(message, fake), ANN))
    read(now)
    assert state(message) == (State.BOUNCED, "returned_5.1.1")


def test_what_was_about_a_visit_is_said_by_sms_once(
    box: ImapServer, fake: FakeProvider, message: Message, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notifications.ways.other", lambda row: "sms")
    for _ in range(2):
        box.put(returned.bounce(id_of(message, fake), ANN))
    read(now)
    (instead,) = Message.objects.filter(resend_of=message)
    assert (instead.channel, instead.turned_from, instead.state) == ("sms", "email", State.PENDING)


def test_a_complaint_ends_advertising_for_every_card_and_leaves_the_rest(
    box: ImapServer, fake: FakeProvider, message: Message, now: dt.datetime
) -> None:
    daughter, other = factories.client(email="ANN@example.org"), factories.client()
    for card in (message.client, daughter, other):
        assert card is not None
        consent.record(card, purpose="mkt.promotion", channel="email", event="grant", source="preference_page")
    for _ in range(2):
        box.put(returned.complaint(id_of(message, fake), ANN))
    read(now)
    lines = ConsentEvent.objects.filter(event="complaint").values_list("subject__client", "purpose", "channel", "source")
    assert sorted(lines) == sorted((pk, "*", "email", "provider_webhook") for pk in (message.client_id, daughter.pk))
    assert consent.standing(other, "mkt.promotion", "email") == "granted"
    assert (stop(), box.seen) == ("marketing", [1, 2])
    assert state(message)[0] == State.ACCEPTED, "it arrived, or nobody could have complained"
    consent.record(daughter, purpose="mkt.promotion", channel="email", event="grant", source="in_person")
    assert consent.standing(daughter, "mkt.promotion", "email") == "withdrawn", "nobody at the desk opens it again"


# --- what changes nothing -----------------------------------------------------------------------------------------


def _other_pk(message: Message, known: str) -> bytes:
    return returned.bounce(known.replace(f"<m.{message.pk}.", f"<m.{message.pk + 1}."), "ben@example.org")


def _forwarded(message: Message, known: str) -> bytes:
    """Return what Postfix writes of the second of two copies: whom it was for at first, and where it went."""
    return returned.bounce(known, ANN).replace(b"Final-Recipient: rfc822; ann@", b"Final-Recipient: rfc822; ann@dead.")


FORGERIES: list[tuple[str, Callable[[Message, str], bytes]]] = [
    ("somebody else's address", lambda message, known: returned.bounce(known, "ben@example.org")),
    ("another message, whose address is known", _other_pk),
    ("no proof", lambda message, known: returned.bounce(f"{known.rpartition('.')[0].rpartition('.')[0]}@a.example>", ANN)),
    ("another installation", lambda message, known: returned.bounce(f"<m.{message.pk}.{'a' * 32}.{'b' * 16}@a.example>", ANN)),
    ("no mail of ours", lambda message, known: returned.bounce("<abc@atelier-nord.example>", ANN)),
    ("the copy that their server forwards", _forwarded),
    ("an answer from a holiday", lambda message, known: returned.away(known, ANN)),
    ("a complaint of somebody else", lambda message, known: returned.complaint(known, "ben@example.org")),
    ("an ordinary mail", lambda message, known: b"Subject: Hello\r\n\r\n5.1.1 " + known.encode()),
]  # fmt: skip


@pytest.mark.parametrize(("name", "forge"), FORGERIES)
def test_what_is_forged_or_unknown_changes_nothing_and_stays_unread(
    box: ImapServer, fake: FakeProvider, message: Message, now: dt.datetime, name: str, forge: Callable[[Message, str], bytes]
) -> None:
    sent(now, email="ben@example.org")
    number = box.put(forge(message, id_of(message, fake)))
    read(now)
    assert (ProviderEvent.objects.count(), ConsentEvent.objects.count()) == (0, 0), name
    assert not Address.objects.exclude(scope="").exists()
    assert set(Message.objects.values_list("state", flat=True)) == {State.ACCEPTED}
    assert box.seen == []
    before = len(box.commands)
    read(now)
    assert not any(str(number) in one for one in box.commands[before:] if "FETCH" in one), "nor is it fetched again"


def test_the_id_of_one_mail_does_not_lead_to_that_of_another(sending_salon: Salon) -> None:
    instance = sending_salon.instance
    mine = messageids.write(7, instance, "a.example")
    assert messageids.read(mine, instance) == 7
    assert messageids.read(mine.replace("m.7.", "m.8."), instance) is None
    assert messageids.read(mine.replace("m.7.", "m.٧."), instance) is None


# --- late, erased, merged -----------------------------------------------------------------------------------------


def test_a_report_about_somebody_who_was_erased_breaks_nothing(
    box: ImapServer, fake: FakeProvider, message: Message, now: dt.datetime, owner: User
) -> None:
    known = id_of(message, fake)
    assert message.client is not None
    act.erase(message.client, ground="asked", by=owner, now=now)
    stopped = stop()
    box.put(returned.bounce(known, ANN))
    box.put(returned.complaint(known, ANN))
    assert read(now) == {"reports": 2, "mails": 2}
    assert (state(message)[0], stop()) == (State.ACCEPTED, stopped)
    assert (box.seen, ProviderEvent.objects.count()) == ([], 0)


def test_a_report_finds_the_card_that_took_the_other_one_in(
    box: ImapServer, fake: FakeProvider, message: Message, now: dt.datetime
) -> None:
    main = factories.client(email="main@example.org")
    assert message.client_id is not None
    merges.merge([message.client_id, main.pk], main=main.pk, by=None, now=now)
    message.refresh_from_db()
    assert message.client_id == main.pk
    box.put(returned.bounce(id_of(message, fake), ANN))
    read(now)
    assert state(message)[0] == State.BOUNCED
    assert stop() == "delivery"
    assert not addresses.is_undeliverable("email", "main@example.org"), "it is the address that was written to"


def test_the_words_may_be_forgotten_by_then(box: ImapServer, fake: FakeProvider, message: Message, now: dt.datetime) -> None:
    Message.objects.filter(pk=message.pk).update(recipient="", title="", body="")
    box.put(returned.bounce(id_of(message, fake), "Ann@EXAMPLE.org"))
    read(now)
    assert stop() == "delivery"


# --- small steps --------------------------------------------------------------------------------------------------


def test_it_reads_on_where_it_was_and_in_small_steps(
    box: ImapServer, fake: FakeProvider, message: Message, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MAILS_MAX", 3)
    for _ in range(4):
        box.put(returned.away("<a@b>", ANN))
    last = box.put(returned.bounce(id_of(message, fake), ANN))
    assert read(now) == {"mails": 3}
    assert read(now) == {"mails": 2, "reports": 1, "taken": 1}
    assert read(now) == {}
    row = Mailbox.objects.get()
    assert (row.numbering, row.last_number) == (7, last)


def test_a_report_that_somebody_opened_first_counts_too(
    box: ImapServer, fake: FakeProvider, message: Message, now: dt.datetime
) -> None:
    box.mails[box.put(returned.bounce(id_of(message, fake), ANN))].is_seen = True
    read(now)
    assert state(message)[0] == State.BOUNCED


def test_a_mailbox_that_numbers_anew_is_read_anew(
    box: ImapServer, fake: FakeProvider, message: Message, now: dt.datetime
) -> None:
    for _ in range(5):
        box.put(returned.away("<a@b>", ANN))
    read(now)
    box.numbering, box.mails = 8, {}
    box.put(returned.bounce(id_of(message, fake), ANN))
    read(now)
    assert state(message)[0] == State.BOUNCED


def test_of_a_mailbox_full_of_old_mail_only_the_last_two_weeks_are_read(box: ImapServer, now: dt.datetime) -> None:
    for days in (40, 15, 3):
        box.put(returned.away("<a@b>", ANN), on=(now - dt.timedelta(days=days)).date())
    assert read(now) == {"mails": 1}


def test_a_huge_mail_is_read_in_part(box: ImapServer, fake: FakeProvider, message: Message, now: dt.datetime) -> None:
    box.put(returned.bounce(id_of(message, fake), ANN) + b"x" * 3_000_000)
    read(now)
    assert state(message)[0] == State.BOUNCED
    assert any(f"<0.{imap.TEXT_MAX_BYTES}>" in one for one in box.commands)


def test_one_reads_at_a_time_and_not_at_every_tick(box: ImapServer, now: dt.datetime) -> None:
    for seconds in (0, 10, 49):
        reading.read_due(now + dt.timedelta(seconds=seconds))
    assert box.connection_count == 1
    reading.read_due(now + dt.timedelta(seconds=60))
    assert box.connection_count == 2


def test_a_copy_of_the_installation_reads_nothing(box: ImapServer, sending_salon: Salon, now: dt.datetime) -> None:
    Salon.objects.update(instance="0" * 32)
    read(now)
    assert box.connection_count == 0


def test_a_report_that_cannot_be_taken_stops_no_other(
    box: ImapServer, fake: FakeProvider, message: Message, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = receipts.take, []

    def once_wrong(report: Any, *, now: dt.datetime) -> bool:
        calls.append(report)
        if len(calls) == 1:
            raise RuntimeError
        return real(report, now=now)

    monkeypatch.setattr(receipts, "take", once_wrong)
    for _ in range(2):
        box.put(returned.bounce(id_of(message, fake), ANN))
    read(now)
    assert state(message)[0] == State.BOUNCED
    assert box.seen == [2]


EVIL = b"Content-Type: multipart/%s; boundary*=idna''x\r\n\r\n"
POISON: list[tuple[str, bytes, Callable[[ImapServer], object]]] = [
    ("a charset nobody has", EVIL % b"mixed", lambda box: None),
    ("the same in a report", EVIL % b"report", lambda box: None),
    ("the server cannot give it", b"Subject: Hello\r\n\r\n", lambda box: box.withheld.add(2)),
    ("a head without end", b"Content-Type: multipart/report;\r\n " + b"x" * 90_000 + b"\r\n\r\n", lambda box: None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "raw", "prepare"), POISON)
def test_one_mail_that_cannot_be_read_stops_no_other(
    box: ImapServer, fake: FakeProvider, message: Message, now: dt.datetime, name: str, raw: bytes,
    prepare: Callable[[ImapServer], object],
) -> None:  # fmt: skip
    box.put(returned.away("<a@b>", ANN))
    box.put(raw)
    last = box.put(returned.bounce(id_of(message, fake), ANN))
    prepare(box)
    read(now)
    assert (state(message)[0], box.seen, Mailbox.objects.get().last_number) == (State.BOUNCED, [last], last), name
    assert circuit.failure("mailbox") == ""
    assert read(now + dt.timedelta(minutes=1)) == {}


def test_a_report_that_the_server_cannot_give_stops_no_other(
    box: ImapServer, fake: FakeProvider, message: Message, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Inbox.heads
    box.put(returned.bounce(id_of(message, fake), ANN))
    box.put(returned.bounce(id_of(message, fake), ANN))

    def then_lost(inbox: Inbox, numbers: Any) -> dict[int, bytes]:
        found = real(inbox, numbers)
        box.withheld.add(1)
        return found

    monkeypatch.setattr(Inbox, "heads", then_lost)
    assert read(now) == {"mails": 2, "reports": 2, "passed": 1, "taken": 1}
    assert box.seen == [2]


def test_a_server_that_sends_more_than_was_asked_for_stops_no_other_mail(
    box: ImapServer, fake: FakeProvider, message: Message, now: dt.datetime
) -> None:
    box.gives_whole = True
    box.put(returned.bounce("<a@b>", ANN) + b"x" * 600_000)
    box.put(returned.bounce(id_of(message, fake), ANN))
    assert read(now) == {"mails": 1, "reports": 1, "passed": 1}, "the line is of no more use"
    assert circuit.failure("mailbox") == ""
    assert read(now + dt.timedelta(minutes=1)) == {"mails": 1, "reports": 1, "taken": 1}


def test_an_error_of_our_own_stands_on_the_health_page(
    box: ImapServer, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.put(returned.away("<a@b>", ANN))
    monkeypatch.setattr(reading, "_note", lambda *given: 1 // 0)
    assert read(now)["fault"] == 1
    line = health.mailbox_line(now)
    assert line is not None
    assert not line.is_ok
    assert "for a reason of our own" in line.words


def test_a_lot_of_returned_mail_is_read_in_several_rounds_and_no_failure(
    box: ImapServer, fake: FakeProvider, message: Message, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "SECONDS", 2.0)
    real = receipts.take

    def slow(report: Any, *, now: dt.datetime) -> bool:
        time.sleep(0.25)
        return real(report, now=now)

    monkeypatch.setattr(receipts, "take", slow)
    for _ in range(12):
        box.put(returned.bounce(id_of(message, fake), ANN))
    read_by_round = []
    for minute in range(12):
        found = read(now + dt.timedelta(minutes=minute))
        assert "fault" not in found
        assert circuit.failure("mailbox") == ""
        if not found:
            break
        read_by_round.append(found["mails"])
    assert sum(read_by_round) == 12
    assert len(read_by_round) > 1
    assert len(box.seen) == 12


def test_a_mailbox_that_gets_on_and_fails_rests_no_longer_each_time(
    box: ImapServer, fake: FakeProvider, message: Message, now: dt.datetime
) -> None:
    box.script = "store:drop"
    for round_ in range(4):
        for _ in range(2):
            box.put(returned.away("<a@b>", ANN))
        box.put(returned.bounce(id_of(message, fake), ANN))
        at = now + dt.timedelta(hours=round_)
        assert read(at)["fault"] == 1
        Mailbox.objects.update(last_number=max(box.mails))
        rests_until = Provider.objects.get(pk="mailbox").open_until
        assert rests_until == at + circuit.FIRST


# --- a mailbox that is not well -----------------------------------------------------------------------------------

TROUBLE = [
    ("banner:hang", "connect_timeout", "did not answer in time"),
    ("banner:drip", "connect_timeout", "did not answer in time"),
    ("banner:drop", "connect_dropped", "closed the connection"),
    ("banner:bye", "connect_inbox_garbage", "makes no sense"),
    ("banner:garbage", "connect_inbox_garbage", "makes no sense"),
    ("banner:flood", "connect_inbox_garbage", "makes no sense"),
    ("capability:hang", "connect_timeout", "did not answer in time"),
    ("auth:no", "auth_sign_in", "refused the user name or the password"),
    ("auth:bye", "connect_dropped", "closed the connection"),
    ("select:no", "auth_no_inbox", "cannot be opened"),
    ("select:drop", "connect_dropped", "closed the connection"),
    ("search:garbage", "connect_inbox_garbage", "makes no sense"),
    ("search:no", "connect_inbox_garbage", "makes no sense"),
    ("heads:hang", "connect_timeout", "did not answer in time"),
    ("text:drop", "connect_dropped", "closed the connection"),
    ("text:flood", "connect_inbox_garbage", "makes no sense"),
    ("store:drop", "connect_dropped", "closed the connection"),
]


@pytest.mark.parametrize(("script", "reason", "sentence"), TROUBLE)
def test_a_mailbox_that_is_not_well_is_one_sentence_on_the_health_page_and_rests(
    box: ImapServer, fake: FakeProvider, message: Message, now: dt.datetime, monkeypatch: pytest.MonkeyPatch, script: str,
    reason: str, sentence: str,
) -> None:  # fmt: skip
    patience = 1.5 if script.endswith(("hang", "drip")) else 20.0
    monkeypatch.setattr(reading, "SECONDS", patience)
    monkeypatch.setattr(imap, "_MAX_BYTES", 200_000)
    box.put(returned.bounce(id_of(message, fake), ANN))
    box.script = script
    began = time.monotonic()
    assert read(now)["fault"] == 1
    assert time.monotonic() - began < patience + 5
    assert circuit.failure("mailbox") == reason
    line = health.mailbox_line(now)
    assert line is not None
    assert not line.is_ok
    assert sentence in line.words
    assert line.words.count(".") == 2, f"one sentence, and when it is tried again: {line.words}"
    count = box.connection_count
    read(now + dt.timedelta(seconds=30))
    assert box.connection_count == count, "it rests"

    box.script = ""
    read(now + dt.timedelta(minutes=2))
    assert state(message)[0] == State.BOUNCED
    assert ProviderEvent.objects.count() == 1
    line = health.mailbox_line(now + dt.timedelta(minutes=2))
    assert line is not None
    assert line.is_ok


def test_an_inbox_that_can_only_be_looked_at_says_so(box: ImapServer, now: dt.datetime) -> None:
    box.is_read_only = True
    read(now)
    assert circuit.failure("mailbox") == "auth_read_only"


def test_a_server_that_does_not_let_us_mark_a_mail_is_let_be(
    box: ImapServer, fake: FakeProvider, message: Message, now: dt.datetime
) -> None:
    box.put(returned.bounce(id_of(message, fake), ANN))
    box.script = "store:no"
    assert read(now) == {"reports": 1, "taken": 1, "mails": 1}
    assert read(now) == {}


def test_no_password_no_server_no_answer(sending_salon: Salon, now: dt.datetime) -> None:
    with ImapServer() as gone:
        port = gone.port
    Mailbox.objects.create(host="127.0.0.1", port=port, security="none", user="u", password="p")
    read(now)
    assert circuit.failure("mailbox") == "connect_refused"
    Mailbox.objects.update(host="mail.invalid", security="tls")
    read(now + dt.timedelta(hours=1))
    assert circuit.failure("mailbox") == "connect_dns"
    Mailbox.objects.update(security="none")
    read(now + dt.timedelta(hours=2))
    assert circuit.failure("mailbox") == "connect_not_local", "no password in the open to another machine"


def test_a_mailbox_that_hangs_holds_up_nobody(box: ImapServer, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[bool] = []
    monkeypatch.setattr(reading, "_read_apart", lambda: started.append(True))
    for _ in range(3):
        reading.read_apart()
    time.sleep(0.1)
    assert started == [True], "one is at it; the others do not wait"
    reading._busy.release()


# --- over the wire ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
def test_a_handshake_that_drips_is_over_when_the_time_is(security: Security) -> None:
    stop = threading.Event()

    def drip(listener: socket.socket) -> None:
        line, _ = listener.accept()
        with contextlib.suppress(OSError), line:
            if security is Security.STARTTLS:
                line.sendall(b"* OK ready\r\n")
                for answer in ("* CAPABILITY IMAP4rev1 STARTTLS\r\n", ""):
                    tag = line.recv(100).split()[0].decode()
                    line.sendall(f"{answer}{tag} OK done\r\n".encode())
            line.sendall(b"\x16\x03\x03\x3f\xff")  # a record of 16 KB, which never ends
            while not stop.wait(0.1):
                line.sendall(b"\x02")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,), daemon=True)
        thread.start()
        began = time.monotonic()
        with pytest.raises(Fault, match="timeout"), Inbox(Server("127.0.0.1", listener.getsockname()[1], security), seconds=1.5):
            pass
        assert time.monotonic() - began < 4
        stop.set()
        thread.join(5)


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
def test_the_line_is_secured_and_what_was_slipped_in_before_is_no_answer(tls: str) -> None:
    with ImapServer(tls=tls, password="Schönes Passwort €") as server:
        context = ssl.create_default_context(cafile=str(server.certificate))
        security = Security.TLS if tls == "implicit" else Security.STARTTLS
        found = Server("127.0.0.1", server.port, security, server.user, server.password)
        with Inbox(found, seconds=5, context=context) as inbox:
            assert (inbox.count, inbox.numbering) == (0, 7)
        with pytest.raises(Fault, match="certificate"), Inbox(found, seconds=5):
            pass


def test_a_server_without_starttls_gets_no_password() -> None:
    with ImapServer() as server, pytest.raises(Fault, match="no_starttls_here"):  # noqa: SIM117
        with Inbox(Server("127.0.0.1", server.port, Security.STARTTLS, server.user, server.password), seconds=5):
            pass
    assert not any("AUTH" in one or "LOGIN" in one for one in server.commands)


@pytest.mark.parametrize(
    ("methods", "password", "fault"),
    [("", 'a"b\\c', ""), ("", "Schön", "no_auth"), ("LOGINDISABLED", "x", "no_auth"), ("AUTH=PLAIN", "a\r\nb", "sign_in")],
)
def test_signing_in_without_plain(methods: str, password: str, fault: str) -> None:
    with ImapServer(methods=methods, password=password) as server:
        found = Server("127.0.0.1", server.port, Security.NONE, server.user, password)
        if not fault:
            with Inbox(found, seconds=5) as inbox:
                assert inbox.numbering == 7
            return
        with pytest.raises(Fault, match=fault), Inbox(found, seconds=5):
            pass


def test_the_words_for_a_card_are_there_for_each_reason(now: dt.datetime) -> None:
    for status in ("5.1.1", "5.2.2", "4.4.7", "5.7.1", "5.4.4", ""):
        said = words.why(Message(channel="email", state=State.BOUNCED, reason=f"returned_{status}", settled_at=now))
        assert said.count(".") >= 2
        assert (status or "–") in said


def test_a_mailbox_is_tried_on_request(box: ImapServer, owner: User) -> None:
    assert mailbox.test(by=owner).code == "inbox_open"
    box.script = "auth:no"
    assert mailbox.test(by=owner).words == "The mailbox refused the user name or the password."
    assert not any("FETCH" in one for one in box.commands)
