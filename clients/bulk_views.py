"""What is done with many clients of the list at once: a tag put on or taken off, and address labels."""

import datetime as dt

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from clients import access, acting, labels, selection, tagging, tags
from clients.forms import ManyTagsForm
from clients.models import Tag, TagRun
from salon.core import audit
from salon.core.errors import Refused
from salon.core.roles import May
from salon.core.web import SignedIn, allowed, go, page, refuse, safe_next, sent, toast, whole


@allowed(May.EDIT_CLIENTS)
@acting.on_cards
def tag(request: SignedIn, cards: acting.Cards, *, is_added: bool) -> HttpResponse:
    """Ask which tag, and put it on the selected clients or take it off them."""
    form = ManyTagsForm(sent(request), known=[] if is_added else tagging.on(cards.ids))
    if form.is_valid():
        try:
            run = _tag(request, form, cards.ids, cards.now, is_added=is_added)
        except Refused as refused:
            refuse(form, refused)
        else:
            _tell(request, run)
            return go(request, safe_next(request, reverse("clients:list")))
    context = {
        "form": form,
        "is_added": is_added,
        "count": len(cards.ids),
        "chosen": cards.chosen,
        **acting.back(request, cards.chosen),
    }
    context["tag_names"] = tags.in_use() if is_added else []
    fragment = "clients/_tag_dialog.html"
    return page(request, "clients/tag_many.html", context, fragment=fragment, status=422 if form.errors else 200)


@allowed(May.EDIT_CLIENTS)
@require_GET
def tag_run(request: SignedIn, pk: int) -> HttpResponse:
    """Show what became of a tag on many cards: on how many it was done, and who not and why."""
    run = get_object_or_404(TagRun.objects.select_related("tag", "by"), pk=pk)
    here = access.clients_for(request.user).filter(pk__in=run.refused).order_by("sort_name", "pk")[: selection.ACT_MOST]
    names = access.contacts_of(request.user, here, request.salon, now=timezone.now())
    rows = [{"pk": one.pk, "name": names[one.pk].name, "why": tagging.REASONS[run.refused[str(one.pk)]]} for one in here]
    context = {
        "run": run, "rows": rows, "unseen": len(run.refused) - len(rows), "count": len(run.changed),
        "is_open": run.undone_at is None and timezone.now() < run.created_at + tagging.KEPT_FOR,
    }  # fmt: skip
    return page(request, "clients/tag_run.html", context)


@allowed(May.EDIT_CLIENTS)
@require_POST
def tag_undo(request: SignedIn, pk: int) -> HttpResponse:
    """Take a tag on many cards back."""
    run = get_object_or_404(TagRun, pk=pk)
    try:
        count = tagging.undo(run, by=request.user, now=timezone.now())
    except Refused as refused:
        toast(request, refused.message, level=messages.WARNING)
    else:
        text = ngettext("Undone on %(count)s card.", "Undone on %(count)s cards.", count) % {"count": count}
        stays = _("What was changed since stays.")
        toast(request, f"{text} {stays}" if count < len(run.changed) else text)
    return go(request, safe_next(request, reverse("clients:list")))


@allowed(May.EXPORT)
@require_GET
def print_labels(request: SignedIn) -> HttpResponse:
    """Show the address labels of the selected clients, ready to print; that somebody looked is written down."""
    now, chosen = timezone.now(), selection.read(request.GET, request.user)
    rows = selection.rows(chosen, request.user, request.salon, now=now).order_by("sort_name", "pk")
    try:
        selection.check(chosen, rows.order_by().count())
    except Refused as refused:
        return acting.refused(request, refused)
    used = (whole(request.GET.get("first", "")) or 1) - 1
    shown = labels.of(rows.only(*labels.FIELDS), request.salon, used=used)
    audit.record("clients.labels_shown", by=request.user, clients_count=shown.count)
    context = {"shown": shown, "chosen": chosen, "first": min(used, labels.PER_SHEET - 1) + 1, **acting.back(request, chosen)}
    return page(request, "clients/labels.html", context)


def _tag(request: SignedIn, form: ManyTagsForm, ids: set[int], now: dt.datetime, *, is_added: bool) -> TagRun:
    if is_added:
        return tagging.add(ids, name=form.cleaned_data["name"], by=request.user, now=now)
    known = Tag.objects.filter(pk=whole(form.cleaned_data["name"]) or 0).first()
    if known is None:
        raise Refused(_("Choose a tag."), field="name")
    return tagging.remove(ids, known, by=request.user, now=now)


def _tell(request: SignedIn, run: TagRun) -> None:
    done, left = len(run.changed), len(run.refused)
    see = {"see_url": reverse("clients:tag_run", args=[run.pk])} if left else {}
    undo = {"undo_url": reverse("clients:tag_undo", args=[run.pk]), "undo": str(run.pk)} if done else {}
    if run.is_added:
        text = ngettext("Tag “%(name)s” put on %(count)s card.", "Tag “%(name)s” put on %(count)s cards.", done)
    else:
        text = ngettext("Tag “%(name)s” taken off %(count)s card.", "Tag “%(name)s” taken off %(count)s cards.", done)
    words = text % {"name": run.tag.name, "count": done} if done else _("No card was changed.")
    if left and done:
        words += " " + ngettext("%(count)s not.", "%(count)s not.", left) % {"count": left}
    toast(request, words, **undo, **see, level=messages.SUCCESS if done else messages.WARNING)
