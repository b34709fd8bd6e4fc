"""Pages that belong to no app: health, set-up, settings of the salon, own menu."""

import sys

from allauth.account import views as account_views
from django.conf import settings
from django.contrib import messages
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import loader
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from salon.core import accounts, countries, profile, regions, setup
from salon.core import public as public_address
from salon.core.errors import Refused
from salon.core.forms import MeForm, SalonForm, SetupForm
from salon.core.middleware import TRY_AGAIN_SECONDS
from salon.core.roles import May
from salon.core.web import MissingAct, SignedIn, allowed, go, page, public, safe_next, sent, toast


@public
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer "ok" and nothing else."""
    return HttpResponse("ok", content_type="text/plain")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose token is missing or old: nothing was saved, open the page again."""
    return render(request, "403_csrf.html", {"back": request.path}, status=403)


def failed(request: HttpRequest) -> HttpResponse:
    """Answer a fault of ours: a database that is busy or away asks for patience, anything else is a problem of the server.

    Reads nothing: no user, and no database.
    """
    is_away = isinstance(sys.exc_info()[1], OperationalError | InterfaceError)
    status, headers = (503, {"Retry-After": str(TRY_AGAIN_SECONDS)}) if is_away else (500, {})
    return HttpResponse(loader.render_to_string(f"{status}.html"), status=status, headers=headers)


@public
def sign_out(request: HttpRequest) -> HttpResponse:
    """Ask, then end the session; the sign-in page after it speaks the language of the page before."""
    language = translation.get_language()
    answer: HttpResponse = account_views.logout(request)
    if request.method == "POST" and language:
        answer.set_cookie(
            settings.LANGUAGE_COOKIE_NAME, language, secure=bool(settings.SESSION_COOKIE_SECURE), httponly=True, samesite="Lax"
        )
    return answer


@public
def setup_closed(request: HttpRequest) -> HttpResponse:
    """Say how to get the set-up link; the same words for a wrong, an old and a used one."""
    return render(request, "core/setup_closed.html", {"is_done": setup.is_done()}, status=404)


@public
@require_http_methods(["GET", "POST"])
def setup_page(request: HttpRequest, token: str) -> HttpResponse:
    """Let the holder of the one-time link make the owner's account and the salon's profile."""
    if not setup.is_open(token):
        return setup_closed(request)
    country = countries.of_browser(request.headers.get("Accept-Language", ""))
    form = SetupForm(sent(request), initial={"country": country})
    if form.is_valid():
        data = form.cleaned_data
        try:
            owner = setup.take(
                token, form.as_profile(), name=data["owner_name"], email=data["owner_email"], password=data["password"]
            )
        except Refused:
            return setup_closed(request)
        accounts.sign_in(request, owner)
        return go(request, "core:first_steps")
    return render(request, "core/setup.html", {"form": form}, status=422 if form.is_bound else 200)


@allowed(May.READ_SETTINGS)
def first_steps(request: SignedIn) -> HttpResponse:
    """Show what to do first in a new installation."""
    return page(request, "core/first_steps.html")


@allowed(May.SEE_CALENDAR)
def settings_index(request: SignedIn) -> HttpResponse:
    """List the settings pages that the reader's role has."""
    return page(request, "core/settings.html")


@allowed(May.READ_SETTINGS)
@require_http_methods(["GET", "POST"])
def salon_page(request: SignedIn) -> HttpResponse:
    """Show the salon's profile; those who may edit settings change it, the owner alone the second factor."""
    may_edit = request.user.may(May.EDIT_SETTINGS)
    if request.method == "POST" and not may_edit:
        raise MissingAct(May.EDIT_SETTINGS)
    form = SalonForm(sent(request), initial=SalonForm.of(request.salon), salon=request.salon)
    form.fields["is_mfa_required"].disabled = not request.user.may(May.EDIT_TEAM)
    if form.is_valid():
        before = request.salon.time_zone
        after = profile.edit(request.salon, by=request.user, **form.profile()).time_zone
        toast(request, _("Profile saved."))
        if after != before:
            words = _("The time zone was %(before)s and is %(after)s now: every appointment is shown at another hour.")
            names = {"before": before.replace("_", " "), "after": after.replace("_", " ")}
            toast(request, words % names, level=messages.WARNING)
        return go(request, "core:salon")
    base = public_address.base(request.salon)
    context = {
        "form": form,
        "may_edit": may_edit,
        "base": base,
        "region": regions.name(request.salon.country, request.salon.region),
        "is_from_environment": bool(base and not request.salon.public_url),
        "unknown_host": "" if not base or public_address.answers_to(base) else base.partition("://")[2],
    }
    return page(request, "core/salon.html", context, status=422 if form.is_bound else 200)


@allowed(May.SEE_CALENDAR)
@require_http_methods(["GET", "POST"])
def me(request: SignedIn) -> HttpResponse:
    """Show and save how the reader likes to see the house."""
    user = request.user
    form = MeForm(sent(request), initial=MeForm.of(user))
    if form.is_valid():
        profile.edit_own(user, **form.cleaned_data)
        toast(request, _("Saved."))
        return go(request, "core:me")
    return page(request, "core/me.html", {"form": form}, status=422 if form.is_bound else 200)


@allowed(May.SEE_CALENDAR)
@require_POST
def shortcuts(request: SignedIn) -> HttpResponse:
    """Switch the reader's keys of one letter on or off; the toast offers the way back."""
    is_on = request.POST.get("token") == "on"
    profile.edit_own(request.user, has_shortcuts=is_on)
    words = _("Single letters are on.") if is_on else _("Single letters are off. Keys with Ctrl still work.")
    toast(request, words, undo_url=reverse("core:shortcuts"), undo="off" if is_on else "on")
    return go(request, safe_next(request, "core:me"))
