"""Who may see which message. The desk sees all; on a client's card everybody who may see the client.

What was said to a client whose card is restricted or being deleted nobody sees. What such a client writes is read by those
who serve their rights: it may be that they want it lifted.
"""

from django.db.models import F, QuerySet
from django.shortcuts import get_object_or_404

from clients import access as clients_access
from clients.models import Client
from notifications.models import Message, Reply
from salon.core.models import User
from salon.core.roles import May


def messages_for(user: User) -> QuerySet[Message]:
    """Return the messages that `user` may see in the lists, with client and visit: none without the right."""
    rows = Message.objects.select_related("client", "appointment__service").exclude(clients_access.hidden())
    return rows if user.may(May.SEE_MESSAGES) else rows.none()


def message_for(user: User, pk: int) -> Message:
    """Return the message, if `user` may see it. Raises Http404 otherwise."""
    return get_object_or_404(messages_for(user), pk=pk)


def replies_for(user: User) -> QuerySet[Reply]:
    """Return the SMS of clients that `user` may see, those that nobody has read first: none without the right."""
    rows = Reply.objects.select_related("client", "handled_by").order_by(F("handled_at").desc(nulls_first=True), "-at", "-pk")
    if not user.may(May.SERVE_RIGHTS):
        rows = rows.exclude(clients_access.hidden())
    return rows if user.may(May.SEE_MESSAGES) else rows.none()


def reply_for(user: User, pk: int) -> Reply:
    """Return an SMS of a client, if `user` may see it. Raises Http404 otherwise."""
    return get_object_or_404(replies_for(user), pk=pk)


def replies_of(user: User, client: Client) -> QuerySet[Reply]:
    """Return what `client` sent, for somebody who may see the card."""
    rows = Reply.objects.filter(client=client).order_by("-at", "-pk")
    return rows if clients_access.clients_for(user).filter(pk=client.pk).exists() else rows.none()


def messages_of(user: User, client: Client) -> QuerySet[Message]:
    """Return the messages to `client`, for somebody who may see the card."""
    rows = Message.objects.select_related("appointment__service").filter(client=client)
    return rows if clients_access.clients_for(user).filter(pk=client.pk).exists() else rows.none()
