"""Where an installation keeps its data and its keys. Called by settings and `instance`; never imports Django."""

import base64
import json
import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Keys:
    """The three secrets of an installation, each for one purpose so that each can be changed alone.

    `session` signs cookies and links, `fields` (urlsafe base64, 32 bytes) encrypts credentials in the
    database, `addresses` keys the hashes of e-mail addresses and phone numbers.
    """

    session: str
    fields: str
    addresses: str


def _from_environment(name: str) -> str | None:
    """Return the secret `name` from the environment, or from the file that `name`_FILE points to."""
    if value := os.environ.get(name):
        return value
    if path := os.environ.get(f"{name}_FILE"):
        return Path(path).read_text(encoding="utf-8").strip()
    return None


def _link(name: str, path: Path) -> None:
    """Give the file `name` the name `path` too, unless that is taken."""
    try:
        os.link(name, path)
    except FileExistsError:
        return
    except OSError:  # a file system without second names
        if not path.exists():
            Path(name).replace(path)


def write_whole(path: Path, text: str, *, is_first_kept: bool = False) -> None:
    """Write `text` to `path` with mode 0600, all of it or nothing, also when the machine dies meanwhile.

    With `is_first_kept` a file that is there already, or that another process makes at this moment, stays as it is.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if is_first_kept:
            _link(name, path)
        else:
            Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def keys(data_dir: Path) -> Keys:
    """Return the installation's keys: from SECRET_KEY, FIELD_KEY and ADDRESS_KEY, else from `data_dir`/keys.json.

    The file is made at the first start with mode 0600. Losing it loses the saved SMTP password and the
    hashes of the suppression list, so it belongs in the backup.
    """
    path = data_dir / "keys.json"
    if path.exists():
        stored = json.loads(path.read_text(encoding="utf-8"))
    else:
        stored = {
            "session": secrets.token_urlsafe(50),
            "fields": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "addresses": secrets.token_urlsafe(32),
        }
        if not all(_from_environment(name) for name in ("SECRET_KEY", "FIELD_KEY", "ADDRESS_KEY")):
            data_dir.mkdir(parents=True, exist_ok=True)
            write_whole(path, json.dumps(stored), is_first_kept=True)
            stored = json.loads(path.read_text(encoding="utf-8"))
    return Keys(
        session=_from_environment("SECRET_KEY") or stored["session"],
        fields=_from_environment("FIELD_KEY") or stored["fields"],
        addresses=_from_environment("ADDRESS_KEY") or stored["addresses"],
    )
