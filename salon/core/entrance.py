"""The forms of sign-in as the house words its fields: allauth's own, without placeholders, and "E-mail" as everywhere.

Named in the settings; allauth makes and checks them.
"""

from typing import Any

from allauth.account import forms as account
from allauth.mfa.base import forms as mfa
from allauth.mfa.totp.forms import ActivateTOTPForm
from django import forms
from django.utils.translation import gettext_lazy as _

from salon.core import audit


class Plain(forms.Form):
    """Takes the placeholders off, which say what the label says and go as soon as one types."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)
            if isinstance(field, forms.EmailField):
                field.label = _("E-mail")


class SignIn(Plain, account.LoginForm):  # type: ignore[misc]
    """E-mail and password."""


class Reset(Plain, account.ResetPasswordForm):  # type: ignore[misc]
    """The address that gets a link."""


class NewPassword(Plain, account.ResetPasswordKeyForm):  # type: ignore[misc]
    """The new password of somebody who followed the link."""


class ChangePassword(Plain, account.ChangePasswordForm):  # type: ignore[misc]
    """The old password and the new one."""


class Again(Plain, account.ReauthenticateForm):  # type: ignore[misc]
    """The password once more."""


class Code(Plain, mfa.AuthenticateForm):  # type: ignore[misc]
    """The second factor at sign-in."""

    def clean_code(self) -> str:
        """Return the code if it is right. A wrong one is written down: whoever gives it knows the password."""
        try:
            code: str = super().clean_code()
        except forms.ValidationError:
            audit.record("user.code_failed", self.user)
            raise
        return code


class CodeAgain(Plain, mfa.ReauthenticateForm):  # type: ignore[misc]
    """The second factor once more."""


class FirstCode(Plain, ActivateTOTPForm):  # type: ignore[misc]
    """The first code of a new authenticator app."""
