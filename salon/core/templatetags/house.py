"""Tags and filters that every template has without loading them."""

import functools
import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django import template
from django.conf import settings
from django.contrib.messages.storage.base import Message
from django.core.paginator import Page
from django.forms import BoundField
from django.template import defaulttags
from django.template.base import Parser, Token
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import NoReverseMatch, get_script_prefix, get_urlconf, reverse
from django.utils import timezone
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from salon.core import dates, money, phone, public
from salon.core.models import Salon, User
from salon.core.roles import May, roles_with

register = template.Library()


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """Return the sprite icon `name`, hidden from screen readers: a word stands beside it."""
    return _icon(name, css)


class _Address(defaulttags.URLNode):
    """Django's `{% url %}` of a name alone, looked up once: the shell of each page has fifty of them."""

    def render(self, context: template.Context) -> str:
        """Return the address, or keep it for the page under its name."""
        request = getattr(context, "request", None)
        app = getattr(request, "current_app", getattr(getattr(request, "resolver_match", None), "namespace", None))
        try:
            url = _address(self.view_name.resolve(context), app, get_urlconf() or settings.ROOT_URLCONF, get_script_prefix())
        except NoReverseMatch:
            return super().render(context)
        if self.asvar is None:
            return conditional_escape(url) if context.autoescape else url
        context[self.asvar] = url
        return ""


@functools.lru_cache(maxsize=2_000)
def _address(name: str, app: str | None, _urlconf: object, _prefix: str) -> str:
    return reverse(name, current_app=app)


@register.tag
def url(parser: Parser, token: Token) -> defaulttags.URLNode:
    """Read `{% url %}` as Django does."""
    node = defaulttags.url(parser, token)
    return node if node.args or node.kwargs else _Address(node.view_name, node.args, node.kwargs, node.asvar)


@register.simple_tag
def badge(state: str, text: str) -> SafeString:
    """Return `components/_badge.html` for a state and a word: a list shows the same few a hundred times."""
    return _badge(state, str(text))


@functools.lru_cache(maxsize=512)
def _badge(state: str, text: str) -> SafeString:
    return render_to_string("components/_badge.html", {"state": state, "text": text})


@functools.lru_cache(maxsize=512)
def _icon(name: str, css: str) -> SafeString:
    return format_html(
        '<svg class="s-icon {}" aria-hidden="true" focusable="false" width="20" height="20"><use href="{}#{}"></use></svg>',
        css,
        static("icons.svg"),
        name,
    )


@register.filter
def may(user: User, act: str) -> bool:
    """Return whether `user` has the act of that name: `{% if user|may:"book" %}`."""
    return isinstance(user, User) and user.may(May(act))


@register.filter
def has_public_address(salon: Salon) -> bool:
    """Return whether links in a message work on the client's phone."""
    return public.has_address(salon)


@register.filter
def is_demo_only(salon: Salon) -> bool:
    """Return whether the addresses we hand out are those of a demo that only this machine reaches."""
    return public.is_of_demo(salon)


@register.filter
def as_money(amount: Decimal, salon: Salon) -> str:
    """Return the amount in the salon's currency as the reader's language writes it."""
    return money.show(amount, salon.currency)


@register.filter
def as_phone(e164: str, salon: Salon) -> str:
    """Return the number as people in the salon's country write it."""
    return phone.show(str(e164 or ""), salon.country)


@register.filter
def as_day(value: date | datetime | None) -> str:
    """Return "18 Nov 2026" as the reader's language writes it; nothing for no date."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        value = timezone.localtime(value).date()
    # Translators: Django date format for a short date with its year
    return dates.show(value, pgettext("date format", "j M Y"))


@register.filter
def as_weekday(value: date | datetime | None) -> str:
    """Return "Wed 18 Nov" as the reader's language writes it; nothing for no date."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        value = timezone.localtime(value).date()
    # Translators: Django date format for a weekday and a short date without the year
    return dates.show(value, pgettext("date format", "D j M"))


@register.filter
def as_long_day(value: date | datetime | None) -> str:
    """Return "Wednesday 18 November" as the reader's language writes it; nothing for no date."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        value = timezone.localtime(value).date()
    # Translators: Django date format for a heading with weekday, day and month
    return dates.show(value, pgettext("date format", "l j F"))


@register.filter
def as_time(value: datetime | None) -> str:
    """Return "14:30" in the salon's zone; nothing for no time."""
    return "" if value is None else timezone.localtime(value).strftime("%H:%M")


@register.filter
def undo_of(message: Message) -> dict[str, Any]:
    """Return `{"undo_url", "undo", "see_url", "about"}` of a toast, or an empty mapping for one with words only."""
    return json.loads(message.extra_tags) if message.extra_tags else {}


@register.filter
def minutes(count: int) -> str:
    """Return a length that no line breaks: "45 min", "1 h 30"."""
    hours, rest = divmod(int(count), 60)
    if not hours:
        text = _("%(count)d min") % {"count": rest}
    else:
        text = (_("%(hours)d h %(rest)02d") if rest else _("%(hours)d h")) % {"hours": hours, "rest": rest}
    return text.replace(" ", "\u00a0")


@register.filter
def initials(name: str) -> str:
    """Return one or two capitals for a name: "Amélie Bertrand" is "AB", "Léa" is "LÉ"."""
    words = [word for word in str(name or "").split() if word[0].isalnum()]
    if not words:
        return "?"
    return (words[0][0] + words[-1][0] if len(words) > 1 else words[0][:2]).upper()


@register.filter
def foldable(text: str) -> SafeString:
    """Return an e-mail address, or a text with some, that a narrow column folds behind the "@" first."""
    return mark_safe(conditional_escape(text).replace("@", "@<wbr>"))  # noqa: S308 (escaped in the same breath)


@register.filter
def who_may(act: str) -> str:
    """Return the roles that have the act of that name, from the least to the most: "Manager, Owner"; nothing for no such act."""
    try:
        return ", ".join(str(role.label) for role in reversed(roles_with(May(str(act)))))
    except ValueError:
        return ""


@register.filter
def named(field: BoundField, error: str) -> str:
    """Return the sentence about a field that stands away from it: "Name: This field is required.", unless it names the field."""
    label = str(field.label or "").strip()
    if not label or label.casefold() in str(error).casefold():
        return str(error)
    # Translators: a field and what is wrong with it, in the list on top of a form
    return _("%(field)s: %(error)s") % {"field": label, "error": error}


@register.filter
def starts(text: str, beginning: str) -> bool:
    """Return whether `text` begins with `beginning`; never for an empty beginning."""
    return bool(beginning) and str(text).startswith(str(beginning))


@register.filter
def page_numbers(page: Page[Any]) -> list[int]:
    """Return the numbers a pager shows, 0 for a gap: page 5 of 26 is 1, 0, 4, 5, 6, 0, 26."""
    last = page.paginator.num_pages
    near = sorted({1, last, *range(max(1, page.number - 1), min(last, page.number + 1) + 1)})
    shown: list[int] = []
    for number in near:
        if shown and number - shown[-1] > 1:
            shown.append(number - 1 if number - shown[-1] == 2 else 0)
        shown.append(number)
    return shown
