"""The services that the salon offers: added, changed, retired. A service that was used is never deleted."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from appointments import retirement
from appointments.models import Service
from salon.core import audit
from salon.core.errors import Refused
from salon.core.models import User


@transaction.atomic
def add(*, by: User, **fields: Any) -> Service:
    """Return a new service with these fields. Raises Refused if one of that name is offered."""
    _refuse_same_name(fields["name"])
    service = Service.objects.create(**fields)
    audit.record("service.add", service, by=by)
    return service


@transaction.atomic
def edit(service: Service, *, by: User, **fields: Any) -> Service:
    """Change a service, and return it. Visits already booked keep their time and price."""
    row = Service.objects.select_for_update().get(pk=service.pk)
    _refuse_same_name(fields["name"], but=row)
    changed = sorted(name for name, value in fields.items() if getattr(row, name) != value)
    for name in changed:
        setattr(row, name, fields[name])
    if changed:
        row.save(update_fields=changed)
        audit.record("service.edit", row, by=by, fields=changed)
    return row


@transaction.atomic
def retire(service: Service, *, by: User) -> Service:
    """Take a service off the list of what can be booked, and return it. Its visits stay."""
    return retirement.set_active(service, False, event="service.retire", by=by)


@transaction.atomic
def offer_again(service: Service, *, by: User) -> Service:
    """Offer a retired service again, and return it. Raises Refused if one of that name is offered meanwhile."""
    _refuse_same_name(service.name, but=service)
    return retirement.set_active(service, True, event="service.offer", by=by)


def _refuse_same_name(name: str, but: Service | None = None) -> None:
    rows = Service.objects.filter(name__iexact=name, is_active=True)
    if (rows.exclude(pk=but.pk) if but else rows).exists():
        raise Refused(_("A service of this name is already offered."), "name")
