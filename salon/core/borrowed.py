"""Sentences that packages show in our pages and translate in another tone ("du", "Courriel"): ours stand above theirs.

Read by `manage.py messages` alone, which puts them before the translators. A sentence of ours has no place here.
"""

from django.utils.translation import gettext_noop as _

SIGN_IN = (
    _("Email"),
    _("Authenticator code"),
    _("Current Password"),
    _("New Password"),
    _("New Password (again)"),
    _("Password (again)"),
    _("The email address and/or password you specified are not correct."),
    _("Too many failed login attempts. Try again later."),
    _("Be patient, you are sending too many requests."),
    _("This account is currently inactive."),
    _("Please type your current password."),
    _("You must type the same password each time."),
    _("The new value must be different from the current one."),
    _("The password reset token was invalid."),
    _("Incorrect code."),
    _("Incorrect password."),
)

FORMS = (
    _("This field is required."),
    _("Enter a valid email address."),
    _("Enter a valid date."),
    _("Enter a valid time."),
    _("Enter a whole number."),
    _("Enter a number."),
    _("Select a valid choice. That choice is not one of the available choices."),
)
