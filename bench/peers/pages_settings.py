"""The application's settings for the bench of the list: its own addresses, and next to no middleware for the bare side."""

import os

from salon.settings import *  # noqa: F403
from salon.settings import MIDDLEWARE as OURS
from salon.settings import STORAGES as STORES

ROOT_URLCONF = "bench.peers.pages"
# allauth does not start without its own; it does nothing to a page.
MIDDLEWARE = ["allauth.account.middleware.AccountMiddleware"] if os.environ.get("BENCH_SIDE") == "bare" else OURS
STORAGES = {**STORES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
