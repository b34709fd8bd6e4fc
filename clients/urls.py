"""Addresses of the clients pages."""

from django.urls import URLPattern, path

from clients import consent_views, views, wording_views

app_name = "clients"
urlpatterns: list[URLPattern] = [
    path("clients/", views.list_, name="list"),
    path("clients/new/", views.add, name="add"),
    path("clients/<int:pk>/", views.card, name="card"),
    path("clients/<int:pk>/edit/", views.edit, name="edit"),
    path("clients/<int:pk>/note/", views.note, name="note"),
    path("clients/<int:pk>/consent/", consent_views.answer, name="consent"),
    path("clients/<int:pk>/consent/undo/", consent_views.undo, name="consent_undo"),
    path("clients/<int:pk>/consent/history/", consent_views.history, name="consent_history"),
    path("settings/privacy/wording/", wording_views.index, name="wordings"),
    path("settings/privacy/wording/<int:pk>/", wording_views.edit, name="wording"),
    path("search/", views.search, name="search"),
]
