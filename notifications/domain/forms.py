"""The one thing that the check asks for."""

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from salon.core.lines import Line


class SelectorForm(forms.Form):
    """Under which name the provider of the mail server keeps its key in the domain."""

    selector = Line(
        label=_("DKIM selector"),
        max_length=120,
        required=False,
        validators=[
            RegexValidator(
                r"^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_-]+)*$", _("Enter only the word, like s1 or mail.")
            )
        ],
        help_text=_(
            "If you know it: your mail provider names it, and in a mail that arrived it stands behind s= in DKIM-Signature."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
