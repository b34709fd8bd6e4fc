"""Tells the owners, and whom it is about, when somebody became or ceased to be an owner, or lost a second factor.

By mail and in the bell, after the commit, each in their own language: who takes over a salon cannot do it unseen
(ASVS 6.3.7). Called by `team` alone.
"""

from collections.abc import Callable, Mapping
from functools import partial

from django.core.mail import send_mail
from django.db import transaction
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from salon.core import dates, notices
from salon.core.lines import one_line
from salon.core.models import Salon, User
from salon.core.roles import Role

_WORDS: Mapping[str, Callable[[], str]] = {
    "owner_made": lambda: _("%(by)s made %(name)s an owner of %(salon)s."),
    "owner_ended": lambda: _("%(by)s took the role of an owner of %(salon)s from %(name)s."),
    "owner_closed": lambda: _("%(by)s closed the account of %(name)s, an owner of %(salon)s."),
    "owner_opened": lambda: _("%(by)s opened the account of %(name)s, an owner of %(salon)s, again."),
    "owner_factor": lambda: _("%(by)s removed the second factor of %(name)s, an owner of %(salon)s."),
}


def register() -> None:
    """Say how the bell tells of it. Called once, when the app starts."""
    for code in _WORDS:
        notices.register(code, icon="key", words=_telling(code))


def tell(code: str, member: User, *, by: User) -> None:
    """Tell every other active owner and `member`, once this transaction has committed. `code` is one of `_WORDS`."""
    others = User.objects.filter(role=Role.OWNER, is_active=True).exclude(pk__in=[by.pk, member.pk])
    people = [*others.order_by("pk"), member]
    now = timezone.now()
    for person in people:
        if person.is_active:
            notices.tell(person, code, url=f"{reverse('core:team')}?{code}={member.pk}", now=now, member=member.pk, by=by.pk)
    for person in people:
        transaction.on_commit(partial(_mail, code, person, member, by), robust=True)


def _mail(code: str, person: User, member: User, by: User) -> None:
    salon = Salon.objects.current()
    with translation.override(person.language):
        what = _WORDS[code]() % {"by": by.name, "name": member.name, "salon": salon.name}
        local = timezone.localtime(timezone.now(), salon.zone)
        day = dates.show(local.date(), pgettext("date format", "j M Y"))
        at = f"{day}, {local:%H:%M}"
        title = _("Change in the team of %(salon)s") % {"salon": salon.name}
        words = _("Hello %(name)s,\n\n%(what)s\n%(at)s\n\nIs that not as it should be? Speak to the owners at once.\n")
        text = words % {"name": person.name, "what": what, "at": at}
        send_mail(one_line(title), text, None, [person.email], fail_silently=True)


def _telling(code: str) -> Callable[[Mapping[str, int]], str]:
    def words(facts: Mapping[str, int]) -> str:
        names = dict(User.objects.filter(pk__in=[facts["member"], facts["by"]]).values_list("pk", "name"))
        gone = _("(no longer there)")
        who = {"by": names.get(facts["by"], gone), "name": names.get(facts["member"], gone)}
        return _WORDS[code]() % {**who, "salon": Salon.objects.current().name}

    return words
