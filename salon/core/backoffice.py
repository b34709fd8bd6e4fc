"""The Django admin as the house has it: for owners with a second factor, to look at every row and to act through operations.

Each app registers its models here in its `admin.py`. A row that an operation writes is shown and never edited; where
editing makes sense it calls the operation, so that rules and audit are those of the everyday page.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import update_wrapper
from typing import Any, ClassVar
from urllib.parse import urlencode

from allauth.account.decorators import reauthentication_required
from allauth.mfa.utils import is_mfa_enabled
from django.contrib import admin, messages
from django.db import models
from django.db.models.fields.reverse_related import ForeignObjectRel
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.html import format_html_join
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from salon.core.errors import Refused
from salon.core.models import User
from salon.core.roles import May
from salon.core.web import SignedIn, allowed

View = Callable[..., Any]
# Columns that no page of the admin shows: secrets, what becomes one in wrong hands, and notes, which may speak of health.
HIDDEN = frozenset({"password", "token_hash", "lease_token", "hmac", "address_hmac", "idempotency_key", "instance", "note"})


@dataclass(frozen=True)
class Everyday:
    """Where the everyday way is: a sentence, and the page it leads to."""

    sentence: str | Promise
    label: str | Promise = ""
    url_name: str = ""

    @property
    def url(self) -> str:
        """Return the path of that page, or nothing where there is none."""
        return reverse(self.url_name) if self.url_name else ""


class Site(admin.AdminSite):
    """The admin behind the house's own door: sign-in with lockout and second factor, owners only."""

    site_header = site_title = "Carnet"
    index_title = lazy("Every row of the installation")
    empty_value_display = "—"

    def has_permission(self, request: HttpRequest) -> bool:
        """Return whether an owner asks."""
        return isinstance(request.user, User) and request.user.may(May.USE_ADMIN)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Open `view` to an owner with a second factor, whatever the salon asks of the others.

        An act needs the password again if it was not given within five minutes.
        """

        @allowed(May.USE_ADMIN)
        def guarded(request: SignedIn, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not is_mfa_enabled(request.user):
                messages.warning(request, _("The admin opens to an account with a second factor only. Set it up here."))
                request.session["wanted"] = request.get_full_path()
                return HttpResponseRedirect(reverse("mfa_activate_totp"))
            answer: HttpResponseBase = again(request, *args, **kwargs)
            return answer

        again = reauthentication_required(allow_get=True)(super().admin_view(view, cacheable))
        return update_wrapper(guarded, view)

    def get_urls(self) -> list[Any]:
        """Return the pages that the house uses: no sign-in of its own, no delete, no history beside the audit trail."""
        wrap = self.admin_view
        urls: list[Any] = [
            path("", wrap(self.index), name="index"),
            path("jsi18n/", wrap(self.i18n_javascript, cacheable=True), name="jsi18n"),
            path("<str:app_label>/", wrap(self.app_index), name="app_list"),
        ]
        for model, model_admin in self._registry.items():
            start = f"{model._meta.app_label}/{model._meta.model_name}/"
            for pattern in model_admin.get_urls():
                urls.append(path(start + str(pattern.pattern), pattern.callback, name=str(pattern.name)))
        return urls


site = Site(name="admin")


class Looking(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows to look at. What an operation writes cannot be changed here."""

    everyday: ClassVar[Everyday]
    hidden: ClassVar[frozenset[str]] = frozenset()
    list_per_page = 50
    list_max_show_all = 200
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    everyday_page: ClassVar[str] = ""
    # What its rows are called, in the reader's language. Not in the model's Meta: no migration for a word.
    called: ClassVar[str | Promise]

    def __init__(self, model: type[models.Model], admin_site: admin.AdminSite) -> None:
        super().__init__(model, admin_site)
        self.opts.verbose_name_plural = self.called  # type: ignore[assignment]

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Return whether the address bar may ask for it: what no page shows, no question may spell out either."""
        is_hidden = not (HIDDEN | self.hidden).isdisjoint(lookup.split("__"))
        return not is_hidden and bool(super().lookup_allowed(lookup, value, request))

    def everyday_path(self, obj: Any) -> str:
        """Return the path of the everyday page of this row, or nothing."""
        return reverse(self.everyday_page, args=[obj.pk]) if self.everyday_page else ""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether an owner asks."""
        return site.has_permission(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Return whether an owner asks."""
        return site.has_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return False: an operation writes these rows."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: an operation writes these rows."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False for every model: nothing is deleted here."""
        return False

    def get_urls(self) -> list[URLPattern]:
        """Return list and row, and what a model adds. A page to delete does not exist."""
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        wrap = self.admin_site.admin_view
        return [
            path("", wrap(self.changelist_view), name=f"{name}_changelist"),
            *self.more_urls(wrap, name),
            path("<path:object_id>/change/", wrap(self.change_view), name=f"{name}_change"),
        ]

    def more_urls(self, wrap: Callable[[View], View], name: str) -> Iterable[URLPattern]:
        """Return further pages of this model: none."""
        return ()

    def get_queryset(self, request: HttpRequest) -> Any:
        """Return the rows without what no page shows: a credential is not even read."""
        names = {field.name for field in self.model._meta.concrete_fields}
        return super().get_queryset(request).defer(*sorted((HIDDEN | self.hidden) & names - {self.opts.pk.name}))

    def shown(self) -> list[str]:
        """Return the columns that may be seen, in the order of the model."""
        return [field.name for field in self.model._meta.concrete_fields if field.name not in HIDDEN | self.hidden]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return every column that may be seen, and what belongs to the row."""
        return [*self.shown(), "related"] if any(self._related()) else self.shown()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return all of them."""
        return self.get_fields(request, obj)

    @admin.display(description=lazy("Belongs to it"))
    def related(self, obj: Any) -> str:
        """Return links to the lists of rows that point at this one."""
        links = [
            (f"{reverse(f'admin:{model._meta.app_label}_{model._meta.model_name}_changelist')}?{name}__id__exact={obj.pk}", label)
            for model, name, label in self._related()
        ]
        return format_html_join(" · ", '<a href="{}">{}</a>', links)

    def _related(self) -> Iterator[tuple[type[models.Model], str, str]]:
        for relation in self.model._meta.get_fields(include_hidden=True):
            if not isinstance(relation, ForeignObjectRel) or not relation.field.concrete or relation.many_to_many:
                continue
            model = relation.related_model
            if isinstance(model, type) and self.admin_site.is_registered(model) and self.opts.pk.name == "id":
                yield model, relation.field.name, f"{model._meta.verbose_name_plural} ({relation.field.verbose_name})"

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Write nothing: the operation has left its line in the audit trail, which holds no values."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Write nothing: the operation has left its line in the audit trail, which holds no values."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Show the list, with where the everyday way is."""
        return super().changelist_view(request, {**(extra_context or {}), **self._head()})

    def changeform_view(self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None) -> Any:
        """Show a row, with where the everyday way is. What an operation refuses is said on top, and nothing is changed."""
        context = {**(extra_context or {}), **self._head(), "audit_url": self._audit_url(object_id)}
        obj = self.get_object(request, object_id) if object_id else None
        if obj is not None:
            context["everyday_path"] = self.everyday_path(obj)
        try:
            return super().changeform_view(request, object_id, form_url, context)
        except Refused as refused:
            messages.error(request, refused.message)
            return HttpResponseRedirect(request.get_full_path(), status=303)

    def _head(self) -> dict[str, Any]:
        """Return the heading, which Django would build with its English word for one row, and the everyday way."""
        return {"title": capfirst(str(self.called)), "everyday": self.everyday}

    def _audit_url(self, object_id: Any) -> str:
        if not object_id or self.opts.pk.name != "id":
            return ""
        query = urlencode({"subject_type": self.opts.label_lower, "subject_id": object_id})
        return f"{reverse('admin:core_auditevent_changelist')}?{query}"


class Editing(Looking):
    """Rows that can be added and changed here, by the same operations as on the everyday page."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return whether an owner asks."""
        return site.has_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether an owner asks."""
        return site.has_permission(request)

    def more_urls(self, wrap: Callable[[View], View], name: str) -> Iterable[URLPattern]:
        """Return the page to add one."""
        return [path("add/", wrap(self.add_view), name=f"{name}_add")]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return what is shown beside the form."""
        return ["related"] if any(self._related()) else []

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Return the form without the small windows that would add a row of another table on the way."""
        form = super().get_form(request, obj, change, **kwargs)
        for field in form.base_fields.values():
            for act in ("add", "change", "delete", "view"):
                setattr(field.widget, f"can_{act}_related", False)
        return form

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Let the operation write, and take over what it wrote. Raises Refused."""
        stored = self.model._default_manager.get(pk=obj.pk) if change else None
        written = self.write(request, stored, form.cleaned_data)
        obj.__dict__.update({name: value for name, value in vars(written).items() if name != "_state"})
        obj._state.adding = False

    def write(self, request: HttpRequest, stored: Any, values: dict[str, Any]) -> models.Model:
        """Call the operation for `stored` (None: a new row) and return the row. Raises Refused."""
        raise NotImplementedError


def each(request: HttpRequest, rows: Iterable[Any], act: Callable[[Any], object]) -> None:
    """Do `act` to each row, and say how many it was done to and what was refused."""
    done = 0
    for row in rows:
        try:
            act(row)
        except Refused as refused:
            messages.error(request, f"{row}: {refused.message}")
        else:
            done += 1
    if done:
        messages.success(request, _("Done: %(count)d") % {"count": done})


def back(model: type[models.Model]) -> HttpResponse:
    """Return to the list of `model` after an act."""
    return HttpResponseRedirect(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"), status=303)
