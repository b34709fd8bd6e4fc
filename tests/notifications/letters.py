"""What the tests of the pages behind a message's links share: a dump of the whole database, and a strict browser."""

import datetime as dt
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Any

from django.db import connection
from django.test import Client as Browser

from clients import consent
from clients.models import Client, Subject
from notifications import links


def dump() -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table of the database, sessions and audit included."""
    found = {}
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            found[table] = sorted(cursor.fetchall(), key=repr)
    return found


def text_of(mail: EmailMessage) -> str:
    """Return the plain text of a mail."""
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def html_of(mail: EmailMessage) -> str:
    """Return the HTML of a mail."""
    part = mail.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def browser() -> Browser:
    """Return a browser that checks CSRF tokens and has no cookie."""
    return Browser(enforce_csrf_checks=True)


def url(client: Client, channel: str = "email") -> str:
    """Return the path of the preference page of a message to the client."""
    return f"/u/{links.token(client, channel)}/"


def forged(client: Client) -> list[str]:
    """Return tokens of everybody but us: altered at every part, cut, lengthened, of nobody, of another key."""
    good = links.token(client, "email")
    flipped = [good[:place] + ("A" if good[place] != "A" else "B") + good[place + 1 :] for place in (0, 3, 12, 20, 30, 45)]
    nobody = Subject.objects.order_by("-pk").values_list("pk", flat=True)[0] + 1000
    return [*flipped, good[:-1], good[1:], good[:10], good + "A", good.lower(), "x", "é", "%20", "=" * 40, "A" * 4000, "A" * 46,
            links.token_of(nobody, "email", consent.address_hash(client, "email"))]  # fmt: skip


def ticked(answer: Any, **changes: bool) -> dict[str, str]:
    """Return the form of a preference page as a browser would send it, with some ticks changed (`mkt_promotion__email`)."""
    sheet = answer.context["sheet"]
    fields = {}
    wanted = {name.replace("__", ":").replace("_", "."): is_on for name, is_on in changes.items()}
    for one in sheet.fields:
        is_on = one.is_on or one.is_waiting
        if is_on:
            fields[f"was:{one.name}"] = "1"
        if wanted.pop(one.name, is_on):
            fields[one.name] = "1"
    assert not wanted, wanted
    return {**fields, "save": "1"}


def grant(client: Client, purposes: Mapping[str, str] | None = None, *, at: dt.datetime, source: str = "in_person") -> None:
    """Let the client have said Yes to marketing by e-mail (or to what `purposes` gives: purpose to channel)."""
    for purpose, channel in (purposes or dict.fromkeys(consent.MARKETING, "email")).items():
        consent.record(client, purpose=purpose, channel=channel, event="grant", source=source, actor_type="staff", now=at)


def press(path: str) -> Any:
    """Open the page behind a link to confirm, and press its button as a browser would."""
    found = browser().get(path).context["found"]
    lines = [str(line.pk) for line in found.lines] if found else []
    return browser().post(path, {"confirm": "1", "line": lines})
