"""The ground floor in the admin: team, profile, audit trail."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as lazy

from salon.core import profile, team
from salon.core.backoffice import Editing, Everyday, Looking, each, site
from salon.core.lines import Line
from salon.core.models import AuditEvent, Notice, Salon, SetupLink, User
from salon.core.web import go


class MemberForm(forms.ModelForm):  # type: ignore[type-arg]
    """Somebody of the team. Read as values: `team` and `profile` write the row."""

    class Meta:
        model = User
        fields = ("email", "name", "role", "language", "is_active")
        field_classes = {"name": Line}


@admin.register(User, site=site)
class UserAdmin(Editing):
    """Who signs in. Passwords and second factors are never shown."""

    called = lazy("accounts of the team")
    everyday = Everyday(lazy("The team is invited and changed under Settings → Team."), lazy("Open the team"), "core:team")
    form = MemberForm
    list_display = ("name", "email", "role", "is_active", "language", "last_login", "created_at")
    list_filter = ("role", "is_active", "language")
    search_fields = ("name", "email")
    ordering = ("-is_active", "name", "pk")
    actions = ("deactivate", "reactivate")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return what an invitation asks for, or what can be changed of somebody."""
        return ["email", "name", "role", "language", "is_active", "last_login", "created_at", "related"] if obj else [
            "email", "name", "role", "language",
        ]  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the address of who is here already: it is what they sign in with."""
        return ["email", "last_login", "created_at", "related"] if obj else []

    def write(self, request: HttpRequest, stored: User | None, values: dict[str, Any]) -> User:
        """Invite, or change name, language, role and leave. The last owner stays, nobody changes their own place."""
        by = request.user
        assert isinstance(by, User)
        if stored is None:
            return team.invite(**values, by=by)
        if stored.role != values["role"]:
            stored = team.change_role(stored, to=values["role"], by=by)
        if stored.is_active != values["is_active"]:
            stored = team.reactivate(stored, by=by) if values["is_active"] else team.deactivate(stored, by=by)
        own = {name: values[name] for name in ("name", "language") if getattr(stored, name) != values[name]}
        if own:
            stored = profile.edit_own(stored, **own) if stored.pk == by.pk else team.edit(stored, by=by, **own)
        return stored

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        """Lead to the page with the link by which they join."""
        return go(request, "core:link", obj.pk)

    @admin.action(description=lazy("Deactivate, which ends their sessions"))
    def deactivate(self, request: HttpRequest, rows: Any) -> None:
        """Close the accounts. The last owner stays."""
        each(request, rows, lambda row: team.deactivate(row, by=request.user))  # type: ignore[arg-type]

    @admin.action(description=lazy("Let them sign in again"))
    def reactivate(self, request: HttpRequest, rows: Any) -> None:
        """Open the accounts again."""
        each(request, rows, lambda row: team.reactivate(row, by=request.user))  # type: ignore[arg-type]


@admin.register(Salon, site=site)
class SalonAdmin(Looking):
    """The profile, and the one switch that stops everything."""

    called = lazy("salons")
    everyday = Everyday(lazy("The profile is changed under Settings → Salon."), lazy("Open the profile"), "core:salon")
    list_display = ("name", "city", "country", "language", "delivery", "is_mfa_required", "is_demo")
    actions = ("pause_all_sending", "resume_sending")

    @admin.action(description=lazy("Pause all sending"))
    def pause_all_sending(self, request: HttpRequest, rows: Any) -> None:
        """Let no message leave until somebody resumes."""
        each(request, rows, lambda row: profile.pause_sending(row, by=request.user))  # type: ignore[arg-type]

    @admin.action(description=lazy("Resume sending"))
    def resume_sending(self, request: HttpRequest, rows: Any) -> None:
        """Let messages leave again."""
        each(request, rows, lambda row: profile.resume_sending(row, by=request.user))  # type: ignore[arg-type]


@admin.register(AuditEvent, site=site)
class AuditEventAdmin(Looking):
    """Who did what when."""

    called = lazy("lines of the activity")
    everyday = Everyday(lazy("The house writes this itself, with ids and field names only. Nobody changes it."))
    list_display = ("at", "by", "action", "subject_type", "subject_id", "facts")
    list_filter = ("subject_type",)
    list_select_related = ("by",)
    search_fields = ("action", "subject_id")
    date_hierarchy = "at"
    ordering = ("-at", "-pk")


@admin.register(SetupLink, site=site)
class SetupLinkAdmin(Looking):
    """When the installation was taken. The link itself is not stored."""

    called = lazy("set-up links")
    everyday = Everyday(lazy("A new link is printed by “manage.py setup_link” on the machine itself."))
    list_display = ("created_at", "used_at")


@admin.register(Notice, site=site)
class NoticeAdmin(Looking):
    """What the bell of each user said."""

    called = lazy("notices")
    everyday = Everyday(lazy("Everybody finds their own at the bell in the top bar."))
    list_display = ("at", "user", "code", "read_at")
    list_filter = ("user", "code")
    list_select_related = ("user",)
    ordering = ("-pk",)
