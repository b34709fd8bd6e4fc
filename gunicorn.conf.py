"""How the web process runs. One process with threads serves a salon; WEB_WORKERS is for PostgreSQL with a shared cache."""

import os
from typing import Any

from gunicorn.glogging import Logger

from salon.core.logs import Line

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


class logger_class(Logger):  # type: ignore[misc]  # noqa: N801 (the name that gunicorn reads)
    """Writes gunicorn's own errors as the house writes all errors."""

    def setup(self, cfg: Any) -> None:
        """Open the log, with our lines."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(Line("web    | %(asctime)s %(levelname)s %(name)s %(message)s"))


def when_ready(server: Any) -> None:
    """Say where to click."""
    url = os.environ.get("PUBLIC_BASE_URL") or f"http://127.0.0.1:{os.environ.get('PORT', '8000')}"
    print(f"web    | Carnet is ready: {url}   (Ctrl-C stops it)", flush=True)  # noqa: T201
