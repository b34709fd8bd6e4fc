"""Addresses of the appointments pages."""

from django.urls import URLPattern

app_name = "appointments"
urlpatterns: list[URLPattern] = []
