"""What the forms of the mail server and of the mailbox for returned mail have in common. Saves nothing."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from notifications.providers.wire import Security, Server


class ServerForm(forms.Form):
    """A server with somebody to sign in: fields host, security and user are the form's own. The saved password is never shown."""

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
        if has_password:
            self.fields["password"].help_text = _("One is saved. Leave empty to keep it.")

    def clean(self) -> dict[str, Any]:
        """Refuse an unprotected connection to another machine: it would show the password to everybody on the way."""
        data = super().clean() or {}
        host, security = data.get("host"), data.get("security")
        if host and security == Security.NONE and not Server(host, 0).is_local:
            self.add_error("security", ValidationError(_("Without security only a server on this machine can be used.")))
        return data
