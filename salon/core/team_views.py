"""Pages of the team: who is in it, invite, change a role, leave and come back."""

from urllib.parse import urljoin

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.core.mail import send_mail
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from salon.core import accounts, team
from salon.core.errors import Refused
from salon.core.forms import InviteForm, JoinForm, RoleForm
from salon.core.lines import one_line
from salon.core.models import Salon, User
from salon.core.roles import May, Role
from salon.core.web import SignedIn, allowed, go, page, public, refuse, sent, toast


@allowed(May.READ_SETTINGS)
def members(request: SignedIn) -> HttpResponse:
    """List the team, the active first."""
    has_second_factor = Exists(Authenticator.objects.filter(user=OuterRef("pk"), type=Authenticator.Type.TOTP))
    people = User.objects.annotate(has_second_factor=has_second_factor).order_by("-is_active", "name", "pk")
    may_edit = request.user.may(May.EDIT_TEAM)
    return page(request, "core/team.html", {"members": people, "may_edit": may_edit, "roles": Role.choices})


def _mail_link(member: User, link: str) -> bool:
    """Mail the join link in the member's language, and return whether it is on its way. The page shows it too."""
    salon = Salon.objects.current()
    with translation.override(member.language):
        title = _("You are invited to %(salon)s") % {"salon": salon.name}
        words = _("Hello %(name)s,\n\nOpen this link to choose your password. It works once, within %(days)s days.\n\n%(link)s\n")
        text = words % {"name": member.name, "days": settings.JOIN_LINK_DAYS, "link": link}
        return bool(send_mail(one_line(title), text, None, [member.email], fail_silently=True))


@allowed(May.EDIT_TEAM)
@require_http_methods(["GET", "POST"])
@accounts.confirmed
def invite(request: SignedIn) -> HttpResponse:
    """Invite somebody by e-mail, name and role."""
    form = InviteForm(sent(request))
    if form.is_valid():
        try:
            member = team.invite(**form.cleaned_data, language=request.user.language, by=request.user)
        except Refused as refused:
            refuse(form, refused)
        else:
            is_mailed = _mail_link(member, urljoin(settings.PUBLIC_BASE_URL, team.join_path(member)))
            request.session["mailed_link"] = member.pk if is_mailed else None
            return go(request, "core:link", member.pk)
    return page(request, "core/invite.html", {"form": form}, status=422 if form.is_bound else 200)


@allowed(May.EDIT_TEAM)
def link(request: SignedIn, pk: int) -> HttpResponse:
    """Show the join link of somebody who has not joined yet, to copy."""
    member = get_object_or_404(User, pk=pk, is_active=True)
    if member.has_usable_password():
        raise Http404
    context = {"member": member, "link": urljoin(settings.PUBLIC_BASE_URL, team.join_path(member))}
    is_mailed = request.session.get("mailed_link") == member.pk
    return page(request, "core/link.html", {**context, "days": settings.JOIN_LINK_DAYS, "is_mailed": is_mailed})


@allowed(May.EDIT_TEAM)
@require_POST
@accounts.confirmed
def role(request: SignedIn, pk: int) -> HttpResponse:
    """Give a member another role; the toast offers the one before."""
    member = get_object_or_404(User, pk=pk)
    before = member.role
    form = RoleForm({"role": request.POST.get("token") or request.POST.get("role", "")})
    if not form.is_valid():
        toast(request, _("Choose a role."), level=messages.ERROR)
        return go(request, "core:team")
    try:
        member = team.change_role(member, to=form.cleaned_data["role"], by=request.user)
    except Refused as refused:
        toast(request, refused.message, level=messages.ERROR)
    else:
        words = _("%(name)s is now: %(role)s.") % {"name": member.name, "role": member.get_role_display()}
        toast(request, words, undo_url=reverse("core:role", args=[pk]), undo=before)
    return go(request, "core:team")


@allowed(May.EDIT_TEAM)
@require_POST
@accounts.confirmed
def deactivate(request: SignedIn, pk: int) -> HttpResponse:
    """Close a member's account; the toast offers to open it again."""
    try:
        member = team.deactivate(get_object_or_404(User, pk=pk), by=request.user)
    except Refused as refused:
        toast(request, refused.message, level=messages.ERROR)
    else:
        words = _("%(name)s can no longer sign in.") % {"name": member.name}
        toast(request, words, undo_url=reverse("core:reactivate", args=[pk]), undo="undo")
    return go(request, "core:team")


@allowed(May.EDIT_TEAM)
@require_POST
@accounts.confirmed
def reactivate(request: SignedIn, pk: int) -> HttpResponse:
    """Open a member's account again."""
    try:
        member = team.reactivate(get_object_or_404(User, pk=pk), by=request.user)
    except Refused as refused:
        toast(request, refused.message, level=messages.ERROR)
    else:
        toast(request, _("%(name)s can sign in again.") % {"name": member.name})
    return go(request, "core:team")


@allowed(May.EDIT_TEAM)
@require_http_methods(["GET", "POST"])
@accounts.confirmed
def second_factor(request: SignedIn, pk: int) -> HttpResponse:
    """Ask, then remove the second factor of a member who has lost it."""
    member = get_object_or_404(User, pk=pk)
    if request.method == "GET":
        return page(request, "core/second_factor.html", {"member": member})
    try:
        team.remove_second_factor(member, by=request.user)
    except Refused as refused:
        toast(request, refused.message, level=messages.ERROR)
    else:
        toast(
            request, _("%(name)s signs in with the password alone until they set up a new second factor.") % {"name": member.name}
        )
    return go(request, "core:team")


@public
@require_http_methods(["GET", "POST"])
def join(request: HttpRequest, uid: int, token: str) -> HttpResponse:
    """Let an invited person choose a password, then sign them in."""
    member = team.invited(uid, token)
    if member is None:
        return render(request, "core/join_closed.html", status=404)
    form = JoinForm(sent(request), member=member)
    if form.is_valid():
        try:
            member = team.join(uid, token, password=form.cleaned_data["password"], language=translation.get_language())
        except Refused:
            return render(request, "core/join_closed.html", status=404)
        accounts.sign_in(request, member)
        return go(request, "home")
    return render(request, "core/join.html", {"form": form, "member": member}, status=422 if form.is_bound else 200)
