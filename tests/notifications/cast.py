"""Small words for tests about visits and messages."""

from appointments.models import Appointment
from clients.models import Client
from notifications.models import Message


def client_of(row: Appointment | Message) -> Client:
    """Return whom a visit or a message is for."""
    assert row.client is not None
    return row.client
