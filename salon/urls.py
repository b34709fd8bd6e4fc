"""Every address of the application. Each app says its own; the salon's admin stands apart."""

from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="appointments:today"), name="home"),
    path("", include("salon.core.urls")),
    path("", include("clients.urls")),
    path("", include("appointments.urls")),
    path("", include("notifications.urls")),
    path("accounts/", include("allauth.urls")),
]
