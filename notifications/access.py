"""Who may see which message. The desk sees all; on a client's card everybody who may see the client."""

from django.db.models import QuerySet
from django.http import Http404

from clients import access as clients_access
from clients.models import Client
from notifications.models import Message
from salon.core.models import User
from salon.core.roles import May


def messages_for(user: User) -> QuerySet[Message]:
    """Return the messages that `user` may see in the lists, with client and visit: none without the right."""
    rows = Message.objects.select_related("client", "appointment__service")
    return rows if user.may(May.SEE_MESSAGES) else rows.none()


def message_for(user: User, pk: int) -> Message:
    """Return the message, if `user` may see it. Raises Http404 otherwise."""
    message = messages_for(user).filter(pk=pk).first()
    if message is None:
        raise Http404
    return message


def messages_of(user: User, client: Client) -> QuerySet[Message]:
    """Return the messages to `client`, for somebody who may see the card."""
    rows = Message.objects.select_related("appointment__service").filter(client=client)
    return rows if clients_access.clients_for(user).filter(pk=client.pk).exists() else rows.none()
