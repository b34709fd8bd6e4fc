"""Pages of the ground floor."""

from django.urls import path

from salon.core import views

app_name = "core"
urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
]
