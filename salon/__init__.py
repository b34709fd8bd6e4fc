"""The project: settings, URLs, the Celery application and the ground floor (`salon.core`)."""

from salon.celery import app as celery_app

__all__ = ("celery_app",)
