"""What the list is measured against: the same table as a bare view without sign-in and shell, and Django's own admin."""

import functools
from typing import Any, ClassVar

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Max, Min, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import path
from django.utils import timezone

from appointments.models import STANDS, Appointment, State
from clients.models import Client, Standing
from salon.urls import urlpatterns as ours

PER_PAGE = 50
_TEMPLATE = """<!doctype html><title>Clients</title><h1>Clients</h1> {{ page.paginator.count }}
<table><tr><th>Name<th>Phone<th>E-mail<th>SMS<th>Last visit<th>Next appointment</tr>
{% for client in page %}<tr><td><a href="/clients/{{ client.pk }}/">{{ client.first_name }} {{ client.last_name }}</a>
{% for tag in client.tags.all %}{{ tag.name }} {% endfor %}
<td>{{ client.phone }}<td>{{ client.said.email }}<td>{{ client.said.sms }}
<td>{{ client.last_at|date:"j M Y" }}<td>{{ client.next_at|date:"D j M, H:i" }}</tr>{% endfor %}</table>
{% if page.has_next %}<a href="?page={{ page.next_page_number }}">After</a>{% endif %}"""


def bare(request: HttpRequest) -> HttpResponse:
    """Show a page of the clients with answers and visits, as a short Django view would."""
    rows = Client.objects.active().order_by("sort_name", "pk").prefetch_related("tags")
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    clients: list[Any] = list(page.object_list)
    ids, now = [client.pk for client in clients], timezone.now()
    said: dict[int, dict[str, str]] = {pk: {} for pk in ids}
    answers = Standing.objects.filter(client__in=ids, purpose="mkt.promotion")
    for client_id, channel, state in answers.values_list("client_id", "channel", "state"):
        said[client_id][channel] = state
    visits = Appointment.objects.filter(client__in=ids).values_list("client_id")
    seen = visits.annotate(
        last_at=Max("start_at", filter=Q(state=State.DONE, start_at__lt=now)),
        next_at=Min("start_at", filter=Q(state__in=STANDS, start_at__gte=now)),
    )
    when = {client_id: (last_at, next_at) for client_id, last_at, next_at in seen}
    for client in clients:
        client.said = said[client.pk]
        client.last_at, client.next_at = when.get(client.pk, (None, None))
    page.object_list = clients
    return HttpResponse(_template().render({"page": page}))


@functools.cache
def _template() -> Any:
    return engines["django"].from_string(_TEMPLATE)


class PlainAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The admin as it comes, with the columns that the card has."""

    list_display = ["first_name", "last_name", "phone", "email", "inactive_at"]
    search_fields = ("first_name", "last_name", "phone", "email")
    list_per_page = PER_PAGE
    ordering: ClassVar[tuple[str, ...]] = ("last_name", "first_name")


class AlikeAdmin(PlainAdmin):
    """The admin with what our list says of a client: answers, visits and tags, read for the page's rows together."""

    list_display = [
        "first_name", "last_name", "tagged", "phone", "by_email", "by_sms", "inactive_at", "last_at", "next_at",
    ]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Client]:
        """Return the cards with their answers, tags and the start of the last visit and the next."""
        visits, now = Appointment.objects.filter(client=OuterRef("pk")), timezone.now()
        done = visits.filter(state=State.DONE, start_at__lt=now).order_by("-start_at")
        ahead = visits.filter(state__in=STANDS, start_at__gte=now).order_by("start_at")
        firsts = {"last": Subquery(done.values("start_at")[:1]), "next": Subquery(ahead.values("start_at")[:1])}
        said = Prefetch("standings", Standing.objects.filter(purpose__startswith="mkt."), to_attr="said")
        rows: QuerySet[Client] = super().get_queryset(request)
        return rows.annotate(**firsts).prefetch_related("tags", said)

    def tagged(self, client: Any) -> str:
        """Return the tags."""
        return ", ".join(tag.name for tag in client.tags.all())

    def by_email(self, client: Any) -> str:
        """Return the answer to marketing by e-mail."""
        return _answer(client, "email")

    def by_sms(self, client: Any) -> str:
        """Return the answer to marketing by SMS."""
        return _answer(client, "sms")

    def last_at(self, client: Any) -> Any:
        """Return the start of the last visit."""
        return client.last

    def next_at(self, client: Any) -> Any:
        """Return the start of the next visit."""
        return client.next


def _answer(client: Any, channel: str) -> str:
    states = {row.state for row in client.said if row.channel == channel}
    return states.pop() if len(states) == 1 else "some" if states else "unknown"


class PlainSite(admin.AdminSite):
    """An admin without the rules of the house."""

    def has_permission(self, request: HttpRequest) -> bool:
        """Let the signed-in in."""
        return bool(request.user.is_authenticated)


site, alike = PlainSite(name="plain"), PlainSite(name="alike")
site.register(Client, PlainAdmin)
alike.register(Client, AlikeAdmin)

urlpatterns = [path("bare/", bare), path("plain/", site.urls), path("alike/", alike.urls), *ours]
