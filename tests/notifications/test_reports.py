"""What a report says, read from bytes that anybody may have written."""

import base64
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.bounces import reports
from notifications.bounces.reports import Action, Report
from notifications.providers.replies import Verdict, verdict
from tests.notifications import returned

ID, ANN = "<m.7.abc@atelier-nord.example>", "ann@example.org"


def test_a_report_says_which_mail_to_whom_and_why() -> None:
    assert reports.parse(returned.bounce(ID, ANN)) == [Report(ID, (ANN,), Action.FAILED, "5.1.1")]
    assert reports.parse(returned.bounce(ID, ANN, "4.4.1", action="delayed")) == [Report(ID, (ANN,), Action.DELAYED, "4.4.1")]
    assert reports.parse(returned.complaint(ID, ANN)) == [Report(ID, (ANN,), Action.COMPLAINT)]


def test_the_head_alone_tells_a_report_from_other_mail() -> None:
    assert reports.is_report(b'Content-Type: multipart/report; report-type=delivery-status;\r\n boundary="x"\r\n\r\n')
    assert not reports.is_report(b"Content-Type: text/plain\r\n\r\n")
    assert reports.is_report(b"content-type:\r\n MULTIPART/Report\r\n\r\n")
    assert not reports.is_report(b"Content-Type: multipart/reports\r\n\r\n")
    assert not reports.is_report(b"X: y\r\nContent-Type: multipart/report\r\n\r\n"), "it is the Content-Type alone"
    assert not reports.is_report(b"Content-Type: multipart/report; a=" + b"x" * 3000), "cut off"
    assert not reports.is_report(b"")


@pytest.mark.parametrize("charset", ["idna", "punycode", "a%00b", "hex", "zlib", "undefined", "utf-16", "mbcs"])
@pytest.mark.parametrize("kind", ["multipart/mixed", "multipart/report"])
def test_no_name_of_a_charset_makes_the_head_unreadable(kind: str, charset: str) -> None:
    head = f"Content-Type: {kind}; boundary*={charset}''%ff\r\n\r\n".encode()
    assert reports.is_report(head) is (kind == reports.KIND)


def _nested(depth: int) -> bytes:
    parts = [f'Content-Type: multipart/report; boundary="b{number}"\r\n\r\n--b{number}\r\n' for number in range(depth)]
    return "".join(parts).encode() + b"\r\n" * 60_000


LABORIOUS = [
    ("parts in parts", _nested(300)),
    ("a field of many gaps", b'Content-Type: multipart/report; boundary="x' + b";" * 200_000 + b"\r\n\r\n"),
    ("the same, folded", b"Content-Type: multipart/report" + b';\r\n a="' * 30_000 + b"\r\n\r\n"),
    ("the same, with other line ends", b"Content-Type: multipart/report" + b';\r a="' * 30_000 + b"\r\r"),
    ("a returned head in base64", returned.bounce(ID, ANN).replace(
        b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n",
        b"Content-Type: text/rfc822-headers\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(_nested(300)),
    )),
]  # fmt: skip


@pytest.mark.parametrize(("name", "raw"), LABORIOUS)
def test_what_is_made_to_keep_us_busy_is_done_with_at_once(name: str, raw: bytes) -> None:
    began = time.process_time()
    assert reports.parse(raw[: 256 * 1024]) == []
    assert time.process_time() - began < 1, name


@pytest.mark.parametrize(
    ("status", "diagnostic", "expected"),
    [
        ("5.1.1", "smtp; 550 no such user", "5.1.1"),
        ("5.0.0", "smtp; 550-5.1.1 The email account does not exist", "5.1.1"),  # as Exim and others write it
        ("5.1.1", "smtp; 550 5.7.26 unauthenticated sender", "5.7.26"),  # what the other server said itself stands above
        ("5.1.1 (bad destination)", "", "5.1.1"),
        ("5.1.1.1", "", ""),
        ("soon", "", ""),
        ("2.0.0", "", "2.0.0"),
    ],
)
def test_the_status_is_the_one_of_the_server_that_refused(status: str, diagnostic: str, expected: str) -> None:
    (found,) = reports.parse(returned.bounce(ID, ANN, status, diagnostic=diagnostic))
    assert found.status == expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        *[(status, Verdict.GONE) for status in ["5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"]],
        *[(status, Verdict.FULL) for status in ["5.2.2", "4.2.2", "4.2.1"]],
        *[(status, Verdict.LATE) for status in ["4.4.1", "4.4.7", "4.1.1", "4.7.1", "4.0.0"]],
        *[(status, Verdict.OURS) for status in ["5.7.1", "5.7.26", "5.3.4", "5.5.2", "5.6.1", "5.1.7", "5.1.8"]],
        *[(status, Verdict.OTHER) for status in ("5.0.0", "5.4.4", "5.2.3", "5.1.4", "", "2.0.0", "5.1.11")],
    ],
)
def test_only_a_mailbox_that_is_not_there_is_gone(status: str, expected: Verdict) -> None:
    assert verdict(status) is expected


@pytest.mark.parametrize("kind", ["not-spam", "auth-failure", "virus", "other", ""])
def test_not_every_feedback_is_a_complaint(kind: str) -> None:
    assert reports.parse(returned.complaint(ID, ANN, kind=kind)) == []


@pytest.mark.parametrize(
    "raw",
    [
        returned.away(ID, ANN),
        b"",
        b"\x00\xff" * 500,
        b"Content-Type: multipart/report\r\n\r\nno parts",
        b"Content-Type: multipart/report; boundary=x\r\n\r\n--x\r\n\r\ntext\r\n--x\r\n\r\nagain\r\n--x--",
        b"Content-Type: multipart/report; boundary=x\r\n\r\n--x\r\n\r\n\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\n",
        returned.bounce(ID, ANN, action="relayed"),
        returned.bounce(ID, ANN).replace(b"Final-Recipient: rfc822; ", b"X: ").replace(b"Original-Recipient: rfc822;", b"Y: "),
        returned.bounce("none", ANN),
        returned.bounce(ID, "nobody"),
    ],
)
def test_what_is_no_report_says_nothing(raw: bytes) -> None:
    assert reports.parse(raw) == []


def test_a_report_that_was_cut_off_still_says_what_counts() -> None:
    whole = returned.bounce(ID, ANN)
    assert reports.parse(whole[: whole.index(b"Bonjour\r\n\r\n--AA")])[0].message_id == ID
    assert reports.parse(whole[: whole.index(b"Message-ID")]) == [], "it does not say which mail any more"


def test_the_id_is_found_where_servers_put_it() -> None:
    raw = returned.bounce(ID, ANN)
    heads = raw.replace(b"Content-Type: message/rfc822", b"Content-Type: text/rfc822-headers")
    assert reports.parse(heads)[0].message_id == ID
    service = raw.replace(b"Message-ID: " + ID.encode(), b"X: y").replace(
        b"X-Postfix-Queue-ID: 4ABC", b"X-Original-Message-ID: " + ID.encode()
    )
    assert reports.parse(service)[0].message_id == ID


@pytest.mark.parametrize(
    ("final", "expected"),
    [("rfc822; ben@example.org", ("ben@example.org",)), ("x400; /c=de", (ANN,)), ("", (ANN,))],
)
def test_whom_it_was_for_at_first_counts_only_where_nobody_else_is_named(final: str, expected: tuple[str, ...]) -> None:
    raw = returned.bounce(ID, ANN).replace(b"Final-Recipient: rfc822; ann@example.org", b"Final-Recipient: " + final.encode())
    assert [one.addresses for one in reports.parse(raw)] == [expected]


def test_an_address_is_read_in_the_coding_of_the_wire_as_well() -> None:
    (found,) = reports.parse(returned.bounce(ID, "ann+2Bsalon@example.org"))
    assert "ann+salon@example.org" in found.addresses


@given(st.binary(max_size=400), st.integers(0, 1500), st.sampled_from([returned.bounce(ID, ANN), returned.complaint(ID, ANN)]))
def test_bytes_of_any_kind_are_read_without_an_error(noise: bytes, place: int, raw: bytes) -> None:
    for one in (noise, raw[:place] + noise + raw[place:], raw[:place] + noise, b"Content-Type: multipart/" + noise):
        assert reports.is_report(one) in {True, False}
        for report in reports.parse(one):
            assert report.addresses or report.action is Action.COMPLAINT
