"""What Undo of a change on the card's page Other needs to know, sealed: it passes through the page and may hold a number.

`clients.undoing` reads it back. Nobody but this installation can open or make one.
"""

import datetime as dt
import json
from typing import Any

from django.utils.translation import gettext as _

from clients.models import Client
from salon.core import secrets
from salon.core.errors import Refused

KEEPS_FOR = dt.timedelta(minutes=10)


def seal(act: str, client: Client, *, now: dt.datetime, **facts: Any) -> str:
    """Return the token that takes `act` on this card back. `facts` are what JSON can hold."""
    return secrets.seal(json.dumps({"act": act, "client": client.pk, "at": now.timestamp(), **facts}))


def read(token: str, client: Client, *, now: dt.datetime) -> dict[str, Any]:
    """Return act and facts of a token of this card. Raises Refused for an old, foreign or broken one."""
    try:
        facts: dict[str, Any] = json.loads(secrets.unseal(token))
    except (secrets.Unreadable, ValueError) as error:
        raise Refused(_("This cannot be undone any more.")) from error
    age = dt.timedelta(seconds=now.timestamp() - facts["at"])
    if facts["client"] != client.pk or age > KEEPS_FOR:
        raise Refused(_("This cannot be undone any more."))
    return facts
