"""Addresses of the clients pages."""

from django.urls import URLPattern, path

from clients import consent_views, export_views, import_views, views, wording_views

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
    path("clients/import/", import_views.imports, name="imports"),
    path("clients/import/template/", import_views.template, name="import_template"),
    path("clients/import/<int:pk>/", import_views.import_, name="import"),
    path("clients/import/<int:pk>/columns/", import_views.columns, name="import_columns"),
    path("clients/import/<int:pk>/start/", import_views.start, name="import_start"),
    path("clients/import/<int:pk>/undo/", import_views.undo, name="import_undo"),
    path("clients/import/<int:pk>/discard/", import_views.discard, name="import_discard"),
    path("clients/import/<int:pk>/faulty/", import_views.faulty, name="import_faulty"),
    path("clients/export/", export_views.export, name="export"),
    path("exports/<int:pk>/", export_views.job, name="export_job"),
    path("exports/<int:pk>/file/", export_views.take, name="export_file"),
    path("exports/<int:pk>/again/", export_views.start_again, name="export_again"),
    path("settings/privacy/wording/", wording_views.index, name="wordings"),
    path("settings/privacy/wording/<int:pk>/", wording_views.edit, name="wording"),
    path("search/", views.search, name="search"),
]
