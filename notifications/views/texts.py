"""Settings → Notifications → Texts: the texts of messages, the salon's own beside the house's, and how one reads."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from notifications import filling, kinds, showing, texts, words
from notifications.forms import TextForm
from salon.core import asking
from salon.core.errors import Refused
from salon.core.roles import May
from salon.core.web import MissingAct, SignedIn, allowed, go, page, refuse, sent, toast, whole

LANGUAGES = dict(settings.LANGUAGES)


@dataclass(frozen=True)
class _Place:
    """Of which text a page is."""

    kind: str
    channel: str
    language: str

    @property
    def of(self) -> dict[str, str]:
        """Return it as the names that operations take."""
        return {"kind": self.kind, "channel": self.channel, "language": self.language}


@allowed(May.READ_SETTINGS)
def index(request: SignedIn) -> HttpResponse:
    """List the texts by kind and channel, with the languages in which the salon wrote its own."""
    own = texts.shelf().own
    rows = [
        {
            "kind": kind,
            "channel": channel,
            "name": words.KINDS[kind],
            "by": words.CHANNELS[channel],
            "is_marketing": kinds.TABLE[kind].is_marketing,
            "languages": [(code, name, own.get((kind, channel, code))) for code, name in settings.LANGUAGES],
        }
        for kind, channel in texts.places()
    ]
    return page(request, "notifications/texts.html", {"rows": rows})


@allowed(May.READ_SETTINGS)
@require_http_methods(["GET", "POST"])
def edit(request: SignedIn, kind: str, channel: str, language: str) -> HttpResponse:
    """Show a text as it reads to a client, with its versions; those who may edit settings write another one."""
    place = _place(kind, channel, language)
    in_force = texts.shelf().text(kind, channel, language)
    if request.method == "POST" and not request.user.may(May.EDIT_SETTINGS):
        raise MissingAct(May.EDIT_SETTINGS)
    form = TextForm(sent(request), channel=channel, initial={"subject": in_force.subject, "body": in_force.body.strip()})
    is_shown = request.POST.get("act") == "preview"  # while somebody types: read, not saved
    if not is_shown and form.is_valid():
        try:
            saved = texts.save(
                **place.of,
                **{"subject": "", **form.cleaned_data},
                by=request.user,
                now=timezone.now(),
                seen=whole(request.POST.get("version", "")),
            )
        except Refused as refused:
            refuse(form, refused)
        else:
            _said(request, place, is_new=saved is not None)
            return go(request, "notifications:text", kind, channel, language)
    return page(
        request, "notifications/text.html", _context(request, place, form, in_force),
        fragment="notifications/_text_side.html", status=422 if form.is_bound and not is_shown else 200,
    )  # fmt: skip


@allowed(May.EDIT_SETTINGS)
@require_POST
def reset(request: SignedIn, kind: str, channel: str, language: str) -> HttpResponse:
    """Put the house's own text in force again. The salon's stays among the versions."""
    place = _place(kind, channel, language)
    if texts.reset(**place.of, by=request.user, now=timezone.now()):
        toast(request, _("The house's own text is in force again."))
    return go(request, "notifications:text", kind, channel, language)


def _place(kind: str, channel: str, language: str) -> _Place:
    if (kind, channel) not in texts.places() or language not in LANGUAGES:
        raise Http404
    return _Place(kind, channel, language)


def _said(request: SignedIn, place: _Place, *, is_new: bool) -> None:
    toast(request, _("Text saved. It is in force from the next message on.") if is_new else _("This text is in force already."))
    text = texts.shelf().text(**place.of)
    if found := texts.offers_in(place.kind, f"{text.subject}\n{text.body}", place.language):
        toast(request, _advice(found), level=messages.WARNING)


def _advice(found: list[str]) -> str:
    values = {"words": ", ".join(found[:3])}
    return _("“%(words)s” reads like an offer. A message about a visit may not advertise: that needs the client's Yes.") % values


def _typed(form: TextForm) -> texts.Text:
    return texts.Text(str(form.data.get("subject", ""))[:200], str(form.data.get("body", ""))[:5000])


def _context(request: SignedIn, place: _Place, form: TextForm, in_force: texts.Text) -> dict[str, Any]:
    text = _typed(form) if form.is_bound else in_force
    offers = texts.offers_in(place.kind, f"{text.subject}\n{text.body}", place.language)
    may_edit = request.user.may(May.EDIT_SETTINGS)
    return {
        "form": form,
        **place.of,
        "name": words.KINDS[place.kind],
        "by": words.CHANNELS[place.channel],
        "is_marketing": kinds.TABLE[place.kind].is_marketing,
        "languages": settings.LANGUAGES,
        "language_name": LANGUAGES[place.language],
        "version": in_force.version,
        "is_own": bool(in_force.version),
        "buttons": [(words.PLACEHOLDERS[name], filling.inserted(name)) for name in texts.placeholders(place.kind)],
        "needed": [f"{{{names[-1]}}}" for names in texts.needed(place.kind, place.channel)],
        "versions": texts.history(**place.of),
        "preview": showing.preview(**place.of, text=text, salon=request.salon, user=request.user, now=timezone.now()),
        "length": len(text.body),
        "longest": texts.BODY_LONGEST[place.channel],
        "advice": _advice(offers) if offers else "",
        "may_edit": may_edit,
        "ask": "" if may_edit else asking.sentence(May.EDIT_SETTINGS),
    }
