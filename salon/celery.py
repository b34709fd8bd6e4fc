"""The alarm clock. Celery carries wake-ups without arguments; the outbox table is the queue and loses nothing."""

import logging.config
import os
import warnings
from typing import Any

from celery import Celery
from celery.exceptions import SecurityWarning
from celery.signals import setup_logging
from django.conf import settings

from salon.core import folder

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "salon.settings")

# Celery warns of root because of pickled messages; ours are JSON without arguments.
warnings.filterwarnings("ignore", category=SecurityWarning)

folder.register()
app = Celery("salon")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def log_as_the_house_does(**kwargs: Any) -> None:
    """Use the settings' LOGGING in worker and clock too; Celery would add handlers of its own."""
    logging.config.dictConfig(settings.LOGGING)
