"""The check of the sender's domain, against a name server of our own that speaks the real protocol."""

import base64
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.test import Client as Browser
from django.utils import translation

from notifications.domain import check, lookup, words
from notifications.domain.findings import Level, Part
from notifications.models import MailServer
from salon.core.models import User
from salon.core.roles import Role
from tests.fakes.dns_server import SERVFAIL, SILENCE, Zone, text

SignIn = Callable[[Role], Browser]
PAGE = "/settings/notifications/sending/domain/"
MX = "MX 10 mail.maison.fr."
GOOD_SPF = "v=spf1 include:_spf.google.com ~all"
DMARC = "v=DMARC1; p=none"
GOOGLE = {"_spf.google.com": [text("v=spf1 ip4:192.0.2.0/24 ~all")]}


def rsa_key(bits: int) -> str:
    public = rsa.generate_private_key(65537, bits).public_key()
    return base64.b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


# 512 bits, made with openssl: today's libraries make none so short.
TINY = (
    "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBANL0CIwGjxMNSTjUE0BGUxDoeNLiqjqw"
    "c/IpHdBL9c9eAlREK4YHsBKkcGY72d+cWNEUVb3K1vMezEU4+0c3hB8CAwEAAQ=="
)


def found(
    records: dict[str, Any],
    *,
    sender: str = "rdv@maison.fr",
    host: str = "smtp.gmail.com",
    selector: str = "s1",
    total: float = 8,
) -> tuple[dict[str, Level], check.Report]:
    """Return the codes that the check finds, with their levels."""
    with Zone(records) as zone:
        lookups = lookup.Lookups(zone.resolver(), total=total, each=total)
        report = check.check(sender=sender, host=host, selector=selector, lookups=lookups)
    return {finding.code: finding.level for finding in report.findings}, report


def domain(
    spf: str | list[str] = GOOD_SPF, *, key: str = "", dmarc: str = DMARC, more: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return the records of maison.fr as they ought to be, but for what is said."""
    rows = [spf] if isinstance(spf, str) else spf
    return {
        "maison.fr": [MX, *[text(row) for row in rows], text("google-site-verification=abc")],
        "_dmarc.maison.fr": [text(dmarc)],
        **({"s1._domainkey.maison.fr": [text(key)]} if key else {}),
        **GOOGLE, **(more or {}),
    }  # fmt: skip


@pytest.fixture(scope="module")
def key() -> str:
    return f"v=DKIM1; k=rsa; p={rsa_key(2048)}"


# --- a whole domain -----------------------------------------------------------------------------------------------


def test_a_domain_in_order_has_nothing_to_do(key: str) -> None:
    codes, report = found(domain(key=key))
    assert codes == dict.fromkeys(["mx_found", "spf_soft", "dkim_found", "dmarc_none", "aligned_key"], Level.OK)
    assert report.worst is Level.OK
    assert "can prove where they come from" in words.verdict(report)


def test_an_empty_domain_gets_the_very_lines_to_add() -> None:
    codes, report = found({"maison.fr": ["MX 10 mail.maison.fr."]}, sender="rdv@maison.fr")
    assert set(codes) == {"mx_found", "spf_none", "dkim_none", "dmarc_missing", "aligned_none"}
    lines = {line.record: line.line for line in words.lines(report)}
    assert lines["maison.fr"] == "v=spf1 include:_spf.google.com ~all"
    assert lines["_dmarc.maison.fr"] == "v=DMARC1; p=none; rua=mailto:rdv@maison.fr"
    assert "s1._domainkey.maison.fr" in lines
    assert report.worst is Level.TROUBLE
    codes, report = found({"maison.fr": [MX]}, host="mail.unknown-host.fr")
    assert "spf_none_unknown" in codes
    assert "Ask your mail provider for its SPF line" in words.lines(report)[1].next


@pytest.mark.parametrize(
    ("answer", "code", "level"),
    [(None, "domain_missing", Level.TROUBLE), (SERVFAIL, "domain_broken", Level.TROUBLE), (SILENCE, "domain_silent", Level.WARN)],
)
def test_a_domain_that_is_not_there_broken_or_silent_is_said_so(answer: str | None, code: str, level: Level) -> None:
    codes, report = found({} if answer is None else {"maison.fr": answer}, total=0.6)
    assert codes == {code: level}
    assert "maison.fr" in words.lines(report)[0].what


def test_a_single_fault_of_a_server_spoils_only_its_own_line(key: str) -> None:
    codes, report = found(domain(key=key) | {"_dmarc.maison.fr": SERVFAIL})
    assert codes["broken"] is Level.WARN
    assert codes["dkim_found"] is Level.OK
    assert next(one for one in report.findings if one.code == "broken").part is Part.DMARC
    assert "Not everything" in words.verdict(report)


def test_after_its_time_nothing_is_asked_any_more() -> None:
    clock = iter([0.0, 0.0, 9.0, *[9.0] * 50])
    with Zone(domain()) as zone:
        lookups = lookup.Lookups(zone.resolver(), total=8, clock=lambda: next(clock))
        report = check.check(sender="rdv@maison.fr", host="", selector="", lookups=lookups)
        assert zone.asked == [("maison.fr", "MX")]
    assert {one.code for one in report.findings} == {"mx_found", "silent"}
    assert lookup.Lookups(None).texts("maison.fr").state is lookup.State.SILENT


def test_a_domain_in_letters_of_its_own_is_asked_for_in_ascii(key: str) -> None:
    name = "münchen-friseur.de".encode("idna").decode()
    codes, report = found({name: [MX, text(GOOD_SPF)], **GOOGLE}, sender="termin@münchen-friseur.de")
    assert codes["spf_soft"] is Level.OK
    assert report.domain == "münchen-friseur.de"
    dmarc = next(one for one in report.findings if one.code == "dmarc_missing")
    assert (dmarc.name, dmarc.line) == (f"_dmarc.{name}", f"v=DMARC1; p=none; rua=mailto:termin@{name}")


@pytest.mark.parametrize(
    ("sender", "host", "code", "level"),
    [
        ("salon@gmail.com", "smtp.gmail.com", "free_own", Level.WARN),
        ("salon@GMAIL.com", "mail.maison.fr", "free_other", Level.TROUBLE),
        ("salon@web.de", "smtp.web.de", "free_own", Level.WARN),
        ("salon@orange.fr", "smtp.gmail.com", "free_other", Level.TROUBLE),
        ("salon@gmail.com", "smtp.notgmail.com", "free_other", Level.TROUBLE),
        ("carnet@localhost", "", "domain_not_public", Level.TROUBLE),
        ("a@salon.example", "", "domain_not_public", Level.TROUBLE),
        ("a@bad..name", "", "domain_not_public", Level.TROUBLE),
        ("a@" + "x" * 64 + ".fr", "", "domain_not_public", Level.TROUBLE),
    ],
)
def test_free_mail_and_what_is_no_domain_are_said_without_asking_anybody(sender: str, host: str, code: str, level: Level) -> None:
    report = check.check(sender=sender, host=host, selector="", lookups=lookup.Lookups(None))
    assert [(one.code, one.level) for one in report.findings] == [(code, level)]


# --- mail server --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        (["MX 0 ."], "mx_refused"),
        (["A 192.0.2.1"], "mx_implicit"),
        (["AAAA 2001:db8::1"], "mx_implicit"),
        ([text("x")], "mx_none"),
    ],
)
def test_who_takes_answers_is_said(rows: list[str], code: str) -> None:
    assert code in found({"maison.fr": rows})[0]


# --- SPF ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spf", "code", "level"),
    [
        ("v=spf1 include:_spf.google.com -all", "spf_strict", Level.OK),
        ("V=SPF1 A MX ip4:192.0.2.1 IP6:2001:db8::/32 include:_spf.google.com ~ALL", "spf_soft", Level.OK),
        ("v=spf1 include:_spf.google.com ?all", "spf_neutral", Level.WARN),
        ("v=spf1 include:_spf.google.com +all", "spf_open", Level.TROUBLE),
        ("v=spf1 include:_spf.google.com all", "spf_open", Level.TROUBLE),
        ("v=spf1 include:_spf.google.com", "spf_endless", Level.WARN),
        ("v=spf1", "spf_endless", Level.WARN),
        ("v=spf1 redirect=_spf.google.com", "spf_soft", Level.OK),
        ("v=spf1 -all include:ignored.fr", "spf_strict", Level.OK),
        ("v=spf1 ip4:192.0.2.300 -all", "spf_broken", Level.TROUBLE),
        ("v=spf1 ip4:2001:db8::1 -all", "spf_broken", Level.TROUBLE),
        ("v=spf1 inclde:_spf.google.com -all", "spf_broken", Level.TROUBLE),
        ("v=spf1 include:maison.fr -all", "spf_loop", Level.TROUBLE),
        ("v=spf1 include:nowhere.fr -all", "spf_include_empty", Level.TROUBLE),
        ("v=spf1 include:two.fr -all", "spf_include_empty", Level.TROUBLE),
        ("v=spf1 include:wide.fr -all", "spf_open_at", Level.TROUBLE),
        ("v=spf1 redirect=wide.fr", "spf_open_at", Level.TROUBLE),
        ("v=spf1 ?include:wide.fr +all", "spf_open", Level.TROUBLE),
        ("v=spf1 ?include:wide.fr -all", "spf_strict", Level.OK),
        ("v=spf1 exists:%{i}.list.maison.fr include:%{d}.maison.fr -all", "spf_strict", Level.OK),
        ("v=spf10 -all", "spf_none", Level.TROUBLE),
    ],
)
def test_spf_is_read_as_receivers_read_it(spf: str, code: str, level: Level) -> None:
    two = {"two.fr": [text("v=spf1 -all"), text("v=spf1 ~all")], "wide.fr": [text("v=spf1 +all")]}
    assert found(domain(spf, more=two))[0].get(code) is level


def test_two_spf_records_are_none(key: str) -> None:
    codes, _report = found(domain([GOOD_SPF, "v=spf1 mx -all"]))
    assert codes["spf_many"] is Level.TROUBLE
    assert codes["aligned_none"] is Level.TROUBLE


@pytest.mark.parametrize(("count", "code"), [(8, "spf_soft"), (9, "spf_lookups")])
def test_ten_lookups_are_allowed_and_eleven_are_not(count: int, code: str) -> None:
    """One for the include of Google, one for that of the chain, `count` within it."""
    chain = {"chain.fr": [text("v=spf1 " + " ".join(f"a:h{n}.chain.fr" for n in range(count)) + " -all")]}
    codes, report = found(domain("v=spf1 include:_spf.google.com include:chain.fr ~all", more=chain))
    assert code in codes
    if code == "spf_lookups":
        assert " 11 " in words.lines(report)[1].what


def test_includes_that_multiply_end_soon() -> None:
    tree = {f"n{n}.fr": [text("v=spf1 " + " ".join(f"include:n{m}.fr" for m in range(n + 1, 12)) + " -all")] for n in range(12)}
    with Zone(domain("v=spf1 include:n0.fr -all", more=tree)) as zone:
        report = check.check(sender="a@maison.fr", host="", selector="s1", lookups=lookup.Lookups(zone.resolver()))
        assert len(zone.asked) < 40
    counted = next(one for one in report.findings if one.code == "spf_lookups").values["at"]
    assert 10 < int(counted) < 50, "the rest of the tree is not gone through"


def test_the_provider_that_the_record_leaves_out_is_named_with_the_whole_new_line() -> None:
    codes, report = found(domain("v=spf1 mx -all"), host="ssl0.ovh.net")
    assert codes["spf_without"] is Level.WARN
    line = next(one for one in words.lines(report) if "ssl0.ovh.net" in one.what)
    assert line.line == "v=spf1 include:mx.ovh.com mx -all"
    assert (
        "spf_without"
        not in found(domain("v=spf1 include:mx.ovh.com -all", more={"mx.ovh.com": [text("v=spf1 ?all")]}), host="ssl0.ovh.net")[0]
    )


@pytest.mark.parametrize(
    ("spf", "line"),
    [
        (f"{GOOD_SPF[:-4]}?all", GOOD_SPF),
        (f"{GOOD_SPF[:-4]}ALL", GOOD_SPF),
        (GOOD_SPF[:-5], GOOD_SPF),
        (GOOD_SPF, ""),
        ("v=spf1 redirect=lax.fr", "v=spf1 include:_spf.google.com include:lax.fr ~all"),
        ("v=spf1 include:_spf.google.com redirect=lax.fr", "v=spf1 include:_spf.google.com include:lax.fr ~all"),
    ],
)
def test_the_line_to_put_in_mends_the_end_of_the_record(spf: str, line: str) -> None:
    _codes, report = found(domain(spf, more={"lax.fr": [text("v=spf1 mx ?all")]}))
    assert [one.line for one in words.lines(report) if one.line.startswith("v=spf1")] == ([line] if line else [])


# --- DKIM and DMARC -----------------------------------------------------------------------------------------------


def test_the_key_behind_a_selector_is_read_whole(key: str) -> None:
    edwards = base64.b64encode(
        ed25519.Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    ).decode()
    expected = {
        key: "dkim_found",
        f"k=ed25519; p={edwards}": "dkim_found",
        f"p={rsa_key(1024)}": "dkim_short",
        f"v=DKIM1; p={TINY}": "dkim_weak",
        key.replace("v=DKIM1", "v=DKIM1; t=y:s"): "dkim_testing",
        "v=DKIM1; p=": "dkim_revoked",
        key[:-9]: "dkim_broken",
        key.replace("v=DKIM1", "v=DKIM1; s=tlsrpt"): "dkim_broken",
        "v=spf1 -all": "dkim_none",
    }
    for record, code in expected.items():
        assert code in found(domain(key=record))[0], (code, record[:30])


def test_a_long_key_comes_over_tcp(key: str) -> None:
    with Zone(domain(key=f"{key}; n={'x' * 200}")) as zone:
        report = check.check(sender="a@maison.fr", host="", selector="s1", lookups=lookup.Lookups(zone.resolver()))
        assert zone.tcp_count == 1
    assert "dkim_found" in {one.code for one in report.findings}


def test_without_a_selector_the_usual_ones_are_tried_and_a_dead_one_says_nothing(key: str) -> None:
    dead = {"google._domainkey.maison.fr": [text("p=")]}
    codes, report = found(domain(key=key, more=dead), selector="")
    assert codes["dkim_found"] is Level.OK
    assert "selector s1 " in words.lines(report)[2].what
    assert found(domain(more=dead), selector="")[0]["dkim_unasked"] is Level.WARN


@pytest.mark.parametrize(
    ("rows", "sender", "code"),
    [
        ({"_dmarc.maison.fr": "v=DMARC1; p=reject"}, "a@maison.fr", "dmarc_reject"),
        ({"_dmarc.maison.fr": "v=DMARC1;p=quarantine;"}, "a@maison.fr", "dmarc_quarantine"),
        ({"_dmarc.maison.fr": "v=DMARC1; p=reject; sp=none"}, "a@mail.maison.fr", "dmarc_none"),
        ({"_dmarc.maison.fr": "v=DMARC1; p=reject; sp=none"}, "a@maison.fr", "dmarc_reject"),
        ({"_dmarc.maison.fr": "v=DMARC1; p=reject"}, "a@mail.maison.fr", "dmarc_reject"),
        ({"_dmarc.maison.fr": "v=DMARC1; p=maybe"}, "a@maison.fr", "dmarc_broken"),
        ({"_dmarc.maison.fr": "v=spf1 -all"}, "a@maison.fr", "dmarc_missing"),
        ({"_dmarc.fr": "v=DMARC1; p=reject"}, "a@maison.fr", "dmarc_missing"),
    ],
)
def test_dmarc_is_that_of_the_domain_or_of_the_one_above_it(rows: dict[str, str], sender: str, code: str) -> None:
    records = {name: [text(row)] for name, row in rows.items()} | {"maison.fr": [MX], "mail.maison.fr": [MX]}
    assert code in found(records, sender=sender)[0]


def test_a_domain_that_refuses_what_is_not_proved_is_told_what_that_means(key: str) -> None:
    closed = "v=DMARC1; p=reject"
    assert found(domain("v=spf1 +foo", dmarc=closed))[0]["aligned_shut"] is Level.TROUBLE
    assert found(domain(dmarc=closed))[0]["aligned_spf"] is Level.WARN
    assert found(domain("v=spf1 +foo", dmarc=closed, key=key))[0]["aligned_key"] is Level.OK
    many = domain() | {"_dmarc.maison.fr": [text(DMARC), text(closed)]}
    assert found(many)[0]["dmarc_many"] is Level.TROUBLE


# --- words and page -----------------------------------------------------------------------------------------------


def test_every_sentence_takes_its_values_in_each_language() -> None:
    values = dict.fromkeys(["domain", "server", "at", "host", "selector", "bits", "record"], "x")
    for language in ("en", "fr", "de"):
        with translation.override(language):
            for what, after in words.SAID.values():
                assert "%(" not in str(what) % values
                assert "%(" not in str(after)


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch, key: str) -> Iterator[Zone]:
    with Zone(domain(key=key, dmarc="v=DMARC1; p=oops")) as server:
        monkeypatch.setattr(lookup, "system", server.resolver)
        yield server


@pytest.mark.django_db
def test_the_owner_presses_check_and_reads_what_to_do(signed_in: SignIn, zone: Zone, settings: Any) -> None:
    settings.EMAIL_URL = ""
    MailServer.objects.create(pk=1, host="smtp.gmail.com", port=587, security="starttls", sender="rdv@maison.fr")
    browser = signed_in(Role.OWNER)
    assert PAGE in browser.get("/settings/notifications/sending/").content.decode()
    assert not zone.asked, "nothing is asked before somebody presses"
    part = browser.post(PAGE, {"selector": "s1"}, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert "to change the TXT record to this" in part
    assert "v=DMARC1; p=none; rua=mailto:rdv@maison.fr" in part
    whole = browser.post(PAGE, {"selector": "s1"}).content.decode()  # without JavaScript
    assert "<html" in whole
    assert "The key with the selector s1 is there" in whole
    count = len(zone.asked)
    refused = browser.post(PAGE, {"selector": "s1; drop"}, headers={"HX-Request": "true"})
    assert (refused.status_code, len(zone.asked)) == (422, count)
    assert "Enter only the word" in refused.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("at", [PAGE, "/settings/notifications/sending/"])
def test_the_form_works_without_javascript(owner: User, zone: Zone, settings: Any, at: str) -> None:
    settings.EMAIL_URL, settings.DEFAULT_FROM_EMAIL = "smtp://127.0.0.1:1", "rdv@maison.fr"
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(owner)
    form = browser.get(at).content.decode().split(f'action="{PAGE}"')[1].split("</form>")[0]
    token = form.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    answer = browser.post(PAGE, {"csrfmiddlewaretoken": token, "selector": "s1"})
    assert answer.status_code == 200
    assert "The key with the selector s1 is there" in answer.content.decode()
    assert browser.post(PAGE, {"selector": "s1"}).status_code == 403, "the control"


@pytest.mark.django_db
def test_what_others_put_into_their_records_is_text_on_the_page(signed_in: SignIn, zone: Zone, settings: Any) -> None:
    settings.EMAIL_URL = "smtp://127.0.0.1:1"
    settings.DEFAULT_FROM_EMAIL = "rdv@maison.fr"
    zone.records |= {
        name: [MX, text("v=spf1 <script>alert(1)</script> -all")] for name in zone.records if str(name) == "maison.fr."
    }
    part = signed_in(Role.OWNER).post(PAGE, headers={"HX-Request": "true"}).content.decode()
    assert "&lt;script&gt;" in part
    assert "<script" not in part
