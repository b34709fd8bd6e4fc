"""The form of the mailbox. It says whether a value is well formed and saves nothing."""

from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from notifications.models import Mailbox
from notifications.serverforms import ServerForm
from salon.core.lines import Line


class MailboxForm(ServerForm):
    """Where returned mail arrives. An empty password keeps the saved one."""

    field_order = ("host", "security", "port", "user", "password")
    host = Line(
        label=_("Server"),
        max_length=253,
        validators=[RegexValidator(r"^[A-Za-z0-9.:_-]+$", _("Enter the name of a server, like imap.example.com"))],
        help_text=_("Your mail provider calls it incoming server or IMAP."),
    )
    security = forms.ChoiceField(label=_("Security"), choices=Mailbox.Security.choices, initial="tls")
    port = forms.IntegerField(label=_("Port"), min_value=1, max_value=65535, initial=993)
    user = Line(label=_("User name"), max_length=254)

    def __init__(self, *args: Any, has_password: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, has_password=has_password, **kwargs)
        self.fields["password"].required = not has_password

    @staticmethod
    def of(row: Mailbox | None) -> dict[str, Any]:
        """Return what the form shows at first: the saved mailbox, or nothing."""
        return {name: getattr(row, name) for name in ("host", "security", "port", "user")} if row else {}
