"""What every view uses: who may enter, page or fragment, toasts with Undo.

A view, always in this order: fetch by access, bind, operate, refuse, answer.
"""

import json
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django import forms
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.shortcuts import render, resolve_url
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers
from django.utils.encoding import iri_to_uri
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django_htmx.middleware import HtmxDetails

from salon.core import hooks
from salon.core.errors import Elsewhere, Gone, Refused
from salon.core.models import Salon, User
from salon.core.roles import May


class SignedIn(HttpRequest):
    """A request behind `allowed`: its user is one of ours, and the salon has its profile."""

    user: User
    htmx: HtmxDetails
    salon: Salon


P = ParamSpec("P")
AnyView = TypeVar("AnyView", bound=Callable[..., HttpResponseBase])


class MissingAct(PermissionDenied):
    """The signed-in user's role has not the act; the 403 page says who has it."""

    def __init__(self, act: May) -> None:
        super().__init__(act.value)
        self.act = act


def allowed(
    act: May,
    *,
    otherwise: Callable[..., HttpResponseBase | None] | None = None,
) -> Callable[[Callable[Concatenate[SignedIn, P], HttpResponseBase]], Callable[Concatenate[HttpRequest, P], HttpResponseBase]]:
    """Open a view to the roles that have `act`. Nobody signed in: to the sign-in page (a fragment gets 401).

    Raises MissingAct (the 403 page) for a role that has it not, and Http404 where what the view works on was removed
    meanwhile; whoever sent something to it is told. Where it has moved to another id, the answer leads there. `otherwise`
    may give the role that has not the act another page (403) than that; it gets what the view gets. A house test fails on
    a view without this or `public`.
    """

    def decorate(
        view: Callable[Concatenate[SignedIn, P], HttpResponseBase],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            user = request.user
            if not isinstance(user, User):
                if request.headers.get("HX-Request"):
                    return HttpResponse(status=401)
                return redirect_to_login(request.get_full_path())
            if not user.may(act):
                other = otherwise(request, *args, **kwargs) if otherwise else None
                if other is None:
                    raise MissingAct(act)
                return other
            try:
                return view(request, *args, **kwargs)  # type: ignore[arg-type]
            except hooks.vanished() as error:  # fetched, and gone before it was locked
                raise Http404 from error
            except Elsewhere as moved:
                return _lead(request, moved)
            except Gone as gone:
                return _send_away(request, gone)

        guarded.act = act  # type: ignore[attr-defined]
        return guarded

    return decorate


def _lead(request: HttpRequest, moved: Elsewhere) -> HttpResponse:
    """Lead to the same page of the row's new id. What was sent to the old one is not done: the page is shown first."""
    match = request.resolver_match
    is_in_path = match is not None and moved.pk in match.kwargs.values()
    if match is None or not (is_in_path or str(moved.pk) in request.GET.values()):
        raise Http404
    kwargs = {name: moved.home if value == moved.pk else value for name, value in match.kwargs.items()}
    asked = request.GET.copy()
    for name in () if is_in_path else asked:
        asked.setlist(name, [str(moved.home) if value == str(moved.pk) else value for value in asked.getlist(name)])
    query = f"?{asked.urlencode()}" if asked else ""
    if request.method not in {"GET", "HEAD"}:
        toast(request, _("This card was merged with another one meanwhile. Nothing was saved."), level=messages.WARNING)
        query = ""
    return go(request, resolve_url(match.view_name, **kwargs) + query)


def _send_away(request: HttpRequest, gone: Gone) -> HttpResponse:
    """Say that what was sent is not saved, and take the page with the row's data away. Raises `gone` again for a mere look."""
    match = request.resolver_match
    if request.method in {"GET", "HEAD"} or match is None or gone.pk not in match.kwargs.values():
        raise gone
    if not is_fragment(request):
        return render(request, "404.html", {"reason": gone.words}, status=404)
    toast(request, gone.words, level=messages.WARNING)
    return HttpResponse(status=404, headers={"HX-Redirect": resolve_url(gone.home)})


def public(view: AnyView) -> AnyView:
    """Mark a view that anybody may open without signing in."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def is_fragment(request: HttpRequest) -> bool:
    """Return whether htmx asks for a part of a page: not for a plain, boosted or history-restore request."""
    headers = request.headers
    return (
        headers.get("HX-Request") == "true"
        and headers.get("HX-Boosted") != "true"
        and headers.get("HX-History-Restore-Request") != "true"
    )


def page(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    fragment: str | None = None,
    status: int = 200,
) -> HttpResponse:
    """Return the full page `template`, or its part `fragment` (a `_name.html` that the page includes) for htmx.

    Waiting toasts ride along with a fragment out of band. Answers are never stored by a browser or a proxy.
    """
    if fragment is not None and is_fragment(request):
        html = render_to_string(fragment, dict(context or {}), request) + render_to_string(
            "components/_toasts_oob.html", {}, request
        )
        response = HttpResponse(html, status=status)
    else:
        response = render(request, template, dict(context or {}), status=status)
    patch_vary_headers(response, ("HX-Request",))
    return response


def toast(
    request: HttpRequest,
    text: str,
    *,
    undo_url: str = "",
    undo: str = "",
    see_url: str = "",
    about: str = "",
    level: int = messages.SUCCESS,
) -> None:
    """Show `text` in the dock of the next answer; with `undo_url` an Undo button that POSTs `undo` as `token`.

    `see_url` is a page that tells more. A newer toast about the same takes the place of an older one, whose Undo would
    change nothing any more; `about` says what it is about where that is less than what `undo_url` undoes.
    """
    given = {"undo_url": undo_url, "undo": undo, "see_url": see_url, "about": undo_url and undo_url + about}
    extra = json.dumps(given) if undo_url or see_url else ""
    messages.add_message(request, level, text, extra_tags=extra)


def go(request: HttpRequest, to: Any, *args: Any, **kwargs: Any) -> HttpResponse:
    """Return a 303 to `to` (URL name, model or path): by HX-Location for htmx, so that the whole page changes."""
    is_path = isinstance(to, str) and to.startswith("/")
    url = iri_to_uri(to) if is_path else resolve_url(to, *args, **kwargs)
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return HttpResponseRedirect(url, status=303)


def safe_next(request: HttpRequest, default: str) -> str:
    """Return the `next` that the request carries if it is a path of this host, else `default`."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    if target.startswith("/") and url_has_allowed_host_and_scheme(target, allowed_hosts=None):
        return target
    return resolve_url(default)


def whole(text: str) -> int | None:
    """Return the number that `text` writes in up to nine plain digits, as no longer one was ever ours; else None."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def progress(request: HttpRequest, done: int, count: int) -> dict[str, Any]:
    """Return what `components/_job.html` shows of a job: percent (None while `count` is 0), and whether it is said aloud.

    It is said when another tenth is done since the answer that the page shows now.
    """
    percent = min(99, 100 * done // count) if count else None
    said = str((percent or 0) // 10 * 10)
    return {"percent": percent, "said": said, "is_news": request.GET.get("said") != said, "done": done, "all": count}


def sent(request: HttpRequest) -> QueryDict | None:
    """Return what a form binds: the fields of a POST, even of an empty one, and None for a page that was only opened."""
    return request.POST if request.method == "POST" else None


def refuse(form: forms.BaseForm, refused: Refused) -> None:
    """Put the sentence of a refusal at the form's field it belongs to, or at its top."""
    form.add_error(refused.field if refused.field in form.fields else None, refused.message)
