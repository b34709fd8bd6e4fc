"""The client book as a Django app."""

from django.apps import AppConfig


class ClientsConfig(AppConfig):
    """The person."""

    name = "clients"
