"""Addresses of the clients pages."""

from django.urls import URLPattern, path

from clients import card_views, consent_views, health_views, other_views, table_views, views, wording_views

app_name = "clients"
urlpatterns: list[URLPattern] = [
    path("clients/", views.list_, name="list"),
    path("clients/new/", views.add, name="add"),
    path("clients/<int:pk>/", views.card, name="card"),
    path("clients/<int:pk>/edit/", views.edit, name="edit"),
    path("clients/<int:pk>/address/", card_views.address, name="address"),
    path("clients/<int:pk>/address/edit/", card_views.address_edit, name="address_edit"),
    path("clients/<int:pk>/other/", other_views.other, name="other"),
    path("clients/<int:pk>/other/edit/", card_views.details_edit, name="details_edit"),
    path("clients/<int:pk>/other/undo/", other_views.undo, name="undo"),
    path("clients/<int:pk>/tags/", other_views.tag, name="tags"),
    path("clients/<int:pk>/contacts/", other_views.contact, name="contacts"),
    path("clients/<int:pk>/links/", other_views.link, name="links"),
    path("clients/<int:pk>/note/", views.note, name="note"),
    path("clients/<int:pk>/privacy-form/", table_views.privacy_form, name="privacy_form"),
    path("clients/<int:pk>/health/", health_views.note, name="health"),
    path("clients/<int:pk>/health/consent/", health_views.consent, name="health_consent"),
    path("clients/<int:pk>/consent/", consent_views.answer, name="consent"),
    path("clients/<int:pk>/consent/kind/", table_views.answer, name="consent_kind"),
    path("clients/<int:pk>/consent/paper/", table_views.sheet, name="consent_sheet"),
    path("clients/<int:pk>/consent/undo/", consent_views.undo, name="consent_undo"),
    path("clients/<int:pk>/consent/history/", consent_views.history, name="consent_history"),
    path("settings/privacy/wording/", wording_views.index, name="wordings"),
    path("settings/privacy/wording/<int:pk>/", wording_views.edit, name="wording"),
    path("search/", views.search, name="search"),
]
