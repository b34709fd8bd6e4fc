"""The photo or scan of a signed privacy form: taken in, kept encrypted as the proof of its answers, shown and noted.

Called by the form and by `clients.grid`. A photo is drawn anew apart from here; a PDF stays as it came, and is only ever
given out as a download.
"""

import datetime as dt
import logging
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction
from django.utils.translation import gettext as _

from clients.models import Client, ConsentEvent, ConsentEvidence, SignedForm, Subject
from salon.core import apart, audit, secrets
from salon.core.errors import Refused
from salon.core.models import User

log = logging.getLogger(__name__)
MAX_BYTES = 8_000_000
TIME_OUT = 15.0
JPEG, PDF = "image/jpeg", "application/pdf"
PICTURE = apart.program(Path(__file__).resolve().parent / "picture.py")
# What `picture.py` ends with.
_NO_PICTURE, _TOO_LARGE = 3, 4


@dataclass(frozen=True)
class Sheet:
    """What is kept of an upload: its kind, JPEG or PDF, and its bytes, in clear."""

    content_type: str
    data: bytes


def read(data: bytes) -> Sheet:
    """Return the sheet in an upload, told by its content. A photo comes back drawn anew, upright and without its metadata.

    Raises Refused with a sentence for anything but a JPEG, a PNG or a PDF of at most MAX_BYTES, and for a damaged one.
    """
    if len(data) > MAX_BYTES:
        raise too_large()
    if data.startswith(b"%PDF-"):
        if b"%%EOF" not in data[-2_048:]:
            raise Refused(_("The PDF is damaged or incomplete. Scan the sheet again."), field="photo")
        return Sheet(PDF, data)
    code, drawn = apart.run(PICTURE, data, seconds=TIME_OUT)
    if code == _NO_PICTURE:
        raise Refused(_("This is neither a photo (JPEG, PNG) nor a PDF. Take a photo of the sheet."), field="photo")
    if code == _TOO_LARGE:
        raise Refused(_("The picture has too many dots. Take it again with a lower resolution."), field="photo")
    if code or not drawn:
        log.warning("a photo of a form could not be drawn: the program ended with %s", code)
        raise Refused(_("The picture is damaged or incomplete. Take it again."), field="photo")
    return Sheet(JPEG, drawn)


def too_large() -> Refused:
    """Return the refusal of a file that is too large to be looked at."""
    return Refused(_("The file is larger than 8 MB. Take the photo again with a lower resolution."), field="photo")


@transaction.atomic
def keep(
    client: Client, sheet: Sheet, events: Collection[ConsentEvent], *, signed_on: dt.date, by: User, now: dt.datetime
) -> SignedForm:
    """Keep a sheet as the proof of these events of a client, encrypted, and return its row. Call it with the card locked."""
    subject = Subject.objects.get(pk=Subject.objects.own_of([client.pk])[client.pk])
    row = SignedForm.objects.create(
        subject=subject, signed_on=signed_on, added_at=now, added_by=by, content_type=sheet.content_type,
        data=secrets.seal_bytes(sheet.data),
    )  # fmt: skip
    for event in events:
        ConsentEvidence.objects.update_or_create(event=event, defaults={"signed_form": row})
    audit.record("consent.sheet_kept", client, by=by, sheet=row.pk, events=sorted(event.pk for event in events))
    return row


def look_at(client: Client, pk: int, *, by: User) -> Sheet | None:
    """Return a sheet of a client for somebody who looks at it now, and write the look down; None if it is gone."""
    row = SignedForm.objects.filter(pk=pk, subject__client=client).first()
    if row is None or not row.data:
        return None
    audit.record("consent.sheet_viewed", client, by=by, sheet=row.pk)
    return Sheet(row.content_type, secrets.unseal_bytes(bytes(row.data)))
