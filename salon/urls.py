"""Every address of the application. Each app says its own; of sign-in only what the house uses has an address."""

from allauth.account import views as account
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView

from salon.core import backoffice, views

# No sign-up, no list of e-mail addresses, no social sign-in: accounts are made by set-up and by invitation only.
ACCOUNTS: list[URLPattern | URLResolver] = [
    path("login/", account.login, name="account_login"),
    path("logout/", views.sign_out, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("password/change/", account.password_change, name="account_change_password"),
    path("password/reset/", account.password_reset, name="account_reset_password"),
    path("password/reset/done/", account.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("password/reset/key/done/", account.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    # allauth leads there after each step; the page is ours, with the password and the sessions beside the second factor.
    path("mfa/", RedirectView.as_view(pattern_name="core:security"), name="mfa_index"),
    path("mfa/", include("allauth.mfa.urls")),
]

handler500 = "salon.core.views.failed"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="appointments:today"), name="home"),
    path("", include("salon.core.urls")),
    path("", include("clients.urls")),
    path("", include("appointments.urls")),
    path("", include("notifications.urls")),
    path("accounts/", include(ACCOUNTS)),
    path("admin/", backoffice.site.urls),
]
