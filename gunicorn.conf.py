"""How the web process runs. One process with threads serves a salon; WEB_WORKERS is for PostgreSQL with a shared cache."""

import os
from typing import Any

bind = f"{os.environ.get('BIND', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
wsgi_app = "salon.wsgi:application"
workers = int(os.environ.get("WEB_WORKERS", "1"))
worker_class = "gthread"
threads = int(os.environ.get("WEB_THREADS", "8"))
# Loaded before the port is opened, so that the line "Open ..." is true when it is printed.
preload_app = True
timeout = 60
graceful_timeout = 20
keepalive = 5
limit_request_line = 8190
# No second door, and no file of ours outside the data folder.
control_socket_disable = True
loglevel = "warning"


def when_ready(server: Any) -> None:
    """Say where to click."""
    url = os.environ.get("PUBLIC_BASE_URL") or f"http://127.0.0.1:{os.environ.get('PORT', '8000')}"
    print(f"web    | Carnet is ready: {url}   (Ctrl-C stops it)", flush=True)  # noqa: T201
