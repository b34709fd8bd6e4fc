"""The folder that carries wake-ups."""

from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from kombu import Connection
from kombu.transport import filesystem

from salon.core import folder


@pytest.fixture(params=["empty", "half"])
def queue(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder with a wake-up of which nothing, or half, has been written so far."""
    (tmp_path / "0_first.celery.msg").write_text("" if request.param == "empty" else '{"body": "W1td')
    return tmp_path


def _take(transport: type[filesystem.Transport], where: Path) -> object:
    options = {"data_folder_in": str(where), "data_folder_out": str(where), "control_folder": str(where / "control")}
    with Connection("filesystem://", transport=transport, transport_options=options) as connection:
        channel: Any = connection.default_channel
        return channel._get("celery")


def test_a_wake_up_that_is_still_being_written_does_not_end_the_worker(queue: Path) -> None:
    with pytest.raises(Empty):
        _take(folder.Transport, queue)


def test_kombu_alone_would_raise_what_ends_the_worker(queue: Path) -> None:
    with pytest.raises(ValueError, match=r"Expecting value|Unterminated string"):
        _take(filesystem.Transport, queue)


def test_the_application_uses_this_folder() -> None:
    with Connection("filesystem://") as connection:
        assert connection.get_transport_cls() is folder.Transport
