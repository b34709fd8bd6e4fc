"""Which installation this is: a copied or restored database must not write to the salon's clients a second time.

The host keeps its own id beside the data (DATA_DIR/instance, or INSTANCE_ID in the environment). Only where it equals
the id in the database do messages leave.
"""

import os
from pathlib import Path

from django.conf import settings

from salon.core.models import Salon


def _path() -> Path:
    return Path(settings.DATA_DIR) / "instance"


def claim(salon: Salon) -> None:
    """Make this host the one that sends for `salon`. Called by the set-up page and the demo, never at a start."""
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{salon.instance}\n", encoding="ascii")


def is_ours(salon: Salon) -> bool:
    """Return whether this host is the one that sends for `salon`. Without an id on the host: no."""
    ours = os.environ.get("INSTANCE_ID", "")
    if not ours:
        try:
            ours = _path().read_text(encoding="ascii").strip()
        except OSError:
            return False
    return ours == str(salon.instance)
