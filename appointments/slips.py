"""What Undo needs to know: how a visit stood before an act, signed, for ten minutes. `booking.undo` takes it back."""

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any

from django.core import signing
from django.utils.translation import gettext as _

from appointments.availability import Span
from appointments.models import Appointment
from salon.core.errors import Refused

KEEPS_FOR = dt.timedelta(minutes=10)
_SALT = "appointments.undo"


@dataclass(frozen=True)
class Slip:
    """How a visit stood before an act, and the version the act left it in. `state` is empty if there was no visit yet.

    `client` is whose it was, 0 for a walk-in.
    """

    appointment: int
    version: int
    state: str = ""
    staff: int = 0
    service: int = 0
    start_at: str = ""
    end_at: str = ""
    price: str = ""
    is_overbooked: bool = False
    is_notice_wanted: bool = False
    client: int = 0

    @property
    def span(self) -> Span:
        """Return the time that the visit took."""
        return Span(dt.datetime.fromisoformat(self.start_at), dt.datetime.fromisoformat(self.end_at))


def before(appointment: Appointment) -> Slip:
    """Return how `appointment` stands now, to be signed after an act on it."""
    return Slip(
        appointment=appointment.pk,
        version=appointment.version,
        state=appointment.state,
        staff=appointment.staff_id,
        service=appointment.service_id,
        start_at=appointment.start_at.isoformat(),
        end_at=appointment.end_at.isoformat(),
        price=str(appointment.price),
        is_overbooked=appointment.is_overbooked,
        is_notice_wanted=appointment.is_notice_wanted,
        client=appointment.client_id or 0,
    )


def token(appointment: Appointment, was: Slip | None = None) -> str:
    """Return the token that takes the last act on `appointment` back to `was`; without it: takes the booking back."""
    slip = asdict(was) if was else {"appointment": appointment.pk}
    return signing.dumps({**slip, "version": appointment.version}, salt=_SALT)


def read(value: str, appointment: Appointment) -> Slip:
    """Return the slip that `token` signed for this visit. Raises Refused for an old, foreign or broken one."""
    try:
        facts: dict[str, Any] = signing.loads(value, salt=_SALT, max_age=KEEPS_FOR)
        slip = Slip(**facts)
    except signing.SignatureExpired:
        raise Refused(_("Undo is possible for ten minutes only.")) from None
    except (signing.BadSignature, TypeError):
        raise Refused(_("This cannot be undone.")) from None
    if slip.appointment != appointment.pk:
        raise Refused(_("This cannot be undone."))
    return slip
