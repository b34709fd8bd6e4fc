"""The form of the mailbox. It says whether a value is well formed and saves nothing."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from notifications.models import Mailbox
from notifications.providers.wire import Security, Server
from salon.core.lines import Line


class MailboxForm(forms.Form):
    """Where returned mail arrives. The saved password is never shown; an empty one keeps it."""

    host = Line(
        label=_("Server"),
        max_length=253,
        validators=[RegexValidator(r"^[A-Za-z0-9.:_-]+$", _("Enter the name of a server, like imap.example.com"))],
        help_text=_("Your mail provider calls it incoming server or IMAP."),
    )
    security = forms.ChoiceField(label=_("Security"), choices=Mailbox.Security.choices, initial="tls")
    port = forms.IntegerField(label=_("Port"), min_value=1, max_value=65535, initial=993)
    user = Line(label=_("User name"), max_length=254)
    password = forms.CharField(
        label=_("Password"),
        max_length=500,
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, has_password: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("host", "user"):
            self.fields[name].widget.attrs |= {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        self.fields["password"].required = not has_password
        if has_password:
            self.fields["password"].help_text = _("One is saved. Leave empty to keep it.")

    def clean(self) -> dict[str, Any]:
        """Refuse an unprotected connection to another machine: it would show the password to everybody on the way."""
        data = super().clean() or {}
        host, security = data.get("host"), data.get("security")
        if host and security == Security.NONE and not Server(host, 143).is_local:
            self.add_error("security", ValidationError(_("Without security only a server on this machine can be used.")))
        return data

    @staticmethod
    def of(row: Mailbox | None) -> dict[str, Any]:
        """Return what the form shows at first: the saved mailbox, or nothing."""
        return {name: getattr(row, name) for name in ("host", "security", "port", "user")} if row else {}
