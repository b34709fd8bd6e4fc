"""Settings → Privacy: the words clients say Yes to, as clients read them, and putting new ones in force; what is kept."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clients import fold, keeping, ledger, wording
from clients.forms import WordingForm
from clients.models import ConsentText
from salon.core.errors import Refused
from salon.core.roles import May
from salon.core.web import MissingAct, SignedIn, allowed, go, page, refuse, sent, toast

_ORDER = (*fold.MARKETING, *fold.PERSONAL)


@allowed(May.READ_SETTINGS)
def index(request: SignedIn) -> HttpResponse:
    """Show every wording in force, in all languages."""
    in_force = {code: wording.in_force(code) for code, _name in settings.LANGUAGES}
    pairs = [pair for purpose in _ORDER for pair in fold.affected(purpose, "" if purpose in fold.PERSONAL else fold.ANY_CHANNEL)]
    pairs += [(wording.NOTICE, channel) for channel in fold.CHANNELS]
    groups = [
        {
            "purpose": ledger.PURPOSES[purpose],
            "channel": ledger.CHANNELS[channel],
            "texts": [_shown(texts[purpose, channel], request) for texts in in_force.values() if (purpose, channel) in texts],
        }
        for purpose, channel in pairs
    ]
    context = {"groups": [group for group in groups if group["texts"]], "may_edit": request.user.may(May.EDIT_SETTINGS)}
    return page(request, "clients/wordings.html", context)


@allowed(May.READ_SETTINGS)
@require_http_methods(["GET", "POST"])
def edit(request: SignedIn, pk: int) -> HttpResponse:
    """Show one wording with its earlier versions, and publish a new one."""
    text = ConsentText.objects.filter(pk=pk).first()
    if text is None:
        raise Http404
    if request.method == "POST" and not request.user.may(May.EDIT_SETTINGS):
        raise MissingAct(May.EDIT_SETTINGS)
    form = WordingForm(sent(request), initial={"body": text.body})
    if form.is_valid():
        try:
            wording.publish(
                purpose=text.purpose, channel=text.channel, language=text.language, body=form.cleaned_data["body"],
                by=request.user,
            )  # fmt: skip
        except Refused as refused:
            refuse(form, refused)
        else:
            toast(request, _("New wording in force."))
            return go(request, "clients:wordings")
    return page(request, "clients/wording.html", _one(request, text, form), status=422 if form.is_bound else 200)


def _one(request: SignedIn, text: ConsentText, form: WordingForm) -> dict[str, Any]:
    same = ConsentText.objects.filter(purpose=text.purpose, channel=text.channel, language=text.language)
    return {
        "form": form,
        "text": text,
        "purpose": ledger.PURPOSES[text.purpose],
        "channel": ledger.CHANNELS[text.channel],
        "language": dict(settings.LANGUAGES)[text.language],
        "versions": [_shown(one, request) for one in same.order_by("-published_at", "-pk")],
        "placeholders": [f"{{{name}}}" for name in wording.placeholders(text.purpose)],
        "may_edit": request.user.may(May.EDIT_SETTINGS),
    }


def _shown(text: ConsentText, request: SignedIn) -> dict[str, Any]:
    return {"row": text, "words": wording.shown(text, request.salon), "language": dict(settings.LANGUAGES)[text.language]}


@allowed(May.READ_SETTINGS)
def kept(request: SignedIn) -> HttpResponse:
    """Say what is kept of people, how long and why."""
    parts = [
        {"title": _("Clients"), "lines": keeping.of_clients()},
        {"title": _("Imports and exports"), "lines": keeping.of_files()},
        {"title": _("Team"), "lines": keeping.of_the_team()},
    ]
    return page(request, "clients/privacy.html", {"parts": parts})
