"""The visit as a file for the client's calendar (RFC 5545), which comes along with a confirmation, a change, a cancellation.

The same visit keeps its UID, and each version of its time a higher SEQUENCE: a calendar moves the entry or takes it out.
"""

import datetime as dt
from collections.abc import Mapping

from django.utils import timezone
from icalendar import Calendar, Event, vCalAddress, vText

from notifications import kinds
from notifications.models import Message
from salon.core.models import Salon

NAME = "appointment.ics"


def of(message: Message, salon: Salon, *, words: Mapping[str, str]) -> bytes:
    """Return the file of the visit that a message speaks of, empty where it speaks of none. `words` has its values.

    It starts when the client is told it starts, in UTC, so that it needs no table of the clock's changes.
    """
    visit, start_at = message.appointment, message.told_start_at
    if visit is None or start_at is None:
        return b""
    method = kinds.TABLE[message.kind].event_method
    event = Event()
    event.add("uid", f"visit-{visit.pk}@{salon.instance.hex}")
    event.add("dtstamp", timezone.now().astimezone(dt.UTC))
    event.add("dtstart", start_at.astimezone(dt.UTC))
    event.add("dtend", (start_at + (visit.end_at - visit.start_at)).astimezone(dt.UTC))
    event.add("sequence", message.time_version or 0)
    event.add("status", "CANCELLED" if method == "CANCEL" else "CONFIRMED")
    event.add("summary", f"{words['service']} – {words['salon']}")
    if words["address_line"]:
        event.add("location", f"{words['salon']}, {words['address_line']}")
    if salon.email:
        organizer = vCalAddress(f"mailto:{salon.email}")
        organizer.params["cn"] = vText(words["salon"])
        event.add("organizer", organizer)
    calendar = Calendar()
    calendar.add("prodid", "-//Carnet//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    calendar.add_component(event)
    return bytes(calendar.to_ical())
