"""The application's settings with the peers' apps added."""

import importlib.util
import os

from salon.settings import *  # noqa: F403
from salon.settings import INSTALLED_APPS as OURS

INSTALLED_APPS = [*OURS, *(["post_office"] if importlib.util.find_spec("post_office") else [])]
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST, EMAIL_PORT = "127.0.0.1", int(os.environ["BENCH_PORT"])
POST_OFFICE = {"BACKENDS": {"default": EMAIL_BACKEND}}
