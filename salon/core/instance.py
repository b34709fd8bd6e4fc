"""Which installation this is: a copied or restored database must not write to the salon's clients a second time.

The host keeps its own id beside the data (DATA_DIR/instance, or INSTANCE_ID in the environment). Only where it equals
the id in the database do messages leave.
"""

import functools
import os
import uuid
from pathlib import Path

from django.conf import settings

from salon.core import env
from salon.core.models import Salon


def _path() -> Path:
    return Path(settings.DATA_DIR) / "instance"


@functools.lru_cache(maxsize=1)
def _read(path: str, changed_at_ns: int) -> str:
    """Return the id that stands in the file, read again only when it has changed."""
    return Path(path).read_text(encoding="ascii").strip()


def claim(salon: Salon) -> None:
    """Make this host the one that sends for `salon`. Called by the set-up page, the demo and after a restore, never at a start.

    Call it before the commit: an id of a salon that came to nothing does no harm, a salon without it never sends.
    """
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True)
    env.write_whole(path, f"{salon.instance}\n")


def disown(salon: Salon) -> None:
    """Give the salon an id that no host has, so that nobody sends for it until one claims it."""
    salon.instance = uuid.uuid4()
    salon.save(update_fields=["instance"])


def is_ours(salon: Salon) -> bool:
    """Return whether this host is the one that sends for `salon`. Without an id on the host: no."""
    return is_this(salon.instance)


def is_this(instance: uuid.UUID) -> bool:
    """Return whether this host is the one with that id. Without an id on the host: no."""
    ours = os.environ.get("INSTANCE_ID", "")
    if not ours:
        path = f"{settings.DATA_DIR}/instance"  # asked for every message: no Path is built
        try:
            ours = _read(path, os.stat(path).st_mtime_ns)  # noqa: PTH116
        except OSError:
            return False
    return ours == str(instance)
