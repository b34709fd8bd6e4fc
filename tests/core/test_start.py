"""./run says in one clear sentence why it cannot start, and what stands in its way is looked at before anything starts."""

import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import call_command

import manage
from salon.core.models import SetupLink, User

ROOT = Path(__file__).resolve().parent.parent.parent


def check(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", ROOT / "salon/preflight.py"], capture_output=True, text=True, check=False,
        env={"PATH": os.environ["PATH"], **environment},
    )  # fmt: skip


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def free() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


def test_a_free_place_is_told_to_the_start(tmp_path: Path) -> None:
    port = free()
    done = check(DATA_DIR=str(tmp_path / "new"), PORT=port)
    assert done.stdout.split() == [str(tmp_path / "new"), "127.0.0.1", port]


def test_a_port_in_use_is_one_sentence(tmp_path: Path, taken: int) -> None:
    done = check(DATA_DIR=str(tmp_path), PORT=str(taken))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"Port {taken} is in use")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("port", ["abc", "0", "65536", "-1", "80 80"])
def test_a_port_that_is_none_is_one_sentence(tmp_path: Path, port: str) -> None:
    done = check(DATA_DIR=str(tmp_path), PORT=port)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "which is no port" in done.stderr


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = check(DATA_DIR=str(tmp_path / "file" / "data"), PORT=free())
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "cannot write to" in done.stderr


def test_a_data_folder_that_is_a_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = check(DATA_DIR=str(tmp_path / "file"), PORT=free())
    assert (done.returncode, done.stderr) == (1, f"{tmp_path / 'file'} is a file: give a folder with DATA_DIR.\n")


@pytest.mark.parametrize("has_keys", [False, True])
@pytest.mark.parametrize("command", ["import_clients clients.csv --commit", "setup_link", "deliver", "plan", "why 1", "demo"])
def test_a_command_where_no_salon_is_says_so_and_makes_nothing(tmp_path: Path, command: str, has_keys: bool) -> None:
    if has_keys:
        (tmp_path / "keys.json").write_text("{}")
    before = sorted(tmp_path.iterdir())
    done = subprocess.run(
        [sys.executable, ROOT / "manage.py", *command.split()], capture_output=True, text=True, check=False,
        env={"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, f"There is no Carnet in {tmp_path}: is DATA_DIR right?\n")
    assert sorted(tmp_path.iterdir()) == before


def test_every_command_of_ours_but_the_first_needs_a_salon() -> None:
    ours = {path.stem for path in ROOT.glob("*/management/commands/[a-z]*.py")}
    ours |= {path.stem for path in ROOT.glob("salon/core/management/commands/[a-z]*.py")}
    assert ours - {"prepare", "messages"} == manage.NEEDS_A_SALON


def test_a_python_too_old_is_one_sentence(tmp_path: Path) -> None:
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    for name in ("bash", "dirname", "cat", "cksum", "flock"):
        found = next(Path(folder) / name for folder in ("/bin", "/usr/bin") if (Path(folder) / name).exists())
        (bin_ / name).symlink_to(found)
    old = bin_ / "python3"
    old.write_text('#!/bin/bash\n[ "$1" = -V ] && echo "Python 3.9.2"\n')
    old.chmod(old.stat().st_mode | stat.S_IXUSR)
    copy = tmp_path / "clone"
    copy.mkdir()
    (copy / "run").write_bytes((ROOT / "run").read_bytes())
    (copy / "requirements.txt").touch()
    done = subprocess.run(["/bin/bash", copy / "run"], env={"PATH": str(bin_)}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Carnet needs Python 3.11 or newer, and this machine has Python 3.9.2: ")
    assert len(done.stderr.splitlines()) == 1


def test_run_knows_what_it_does_not_know() -> None:
    done = subprocess.run([ROOT / "run", "--help-me"], capture_output=True, text=True, check=False)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)


def test_ctrl_c_is_answered_at_once_and_the_end_is_told(tmp_path: Path) -> None:
    conf = tmp_path / "keeper.conf"
    conf.write_text(
        f"[supervisord]\nlogfile=/dev/null\npidfile={tmp_path}/pid\n[program:one]\nstartsecs=0\n"
        "command=sh -c 'echo up; exec sleep 60'\nstdout_logfile=/dev/fd/1\nstdout_logfile_maxbytes=0\n"
    )
    with subprocess.Popen(
        [sys.executable, "-I", ROOT / "salon/keeper.py", "--user=root" if os.getuid() == 0 else "-n", "-n", "-c", conf],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as keeper:  # fmt: skip
        assert keeper.stdout is not None
        before = list(iter(keeper.stdout.readline, "up\n"))
        keeper.send_signal(signal.SIGINT)
        after = keeper.stdout.read().splitlines()
    assert before[0] == "Starting…\n"
    assert (after.count("Carnet is stopping…"), after[-1]) == (1, "Carnet has stopped.")
    assert keeper.returncode == 0


@pytest.mark.django_db
def test_preparing_empties_the_queue_and_prints_a_new_link_until_somebody_owns_it(
    settings: LazySettings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.QUEUE_DIR, settings.STATIC_ROOT = tmp_path / "queue", tmp_path / "static"
    stale = tmp_path / "queue" / "messages" / "old"
    stale.parent.mkdir(parents=True)
    stale.touch()
    call_command("prepare")
    assert "/setup/" in capsys.readouterr().out
    assert not stale.exists()
    assert stale.parent.is_dir()
    first = (tmp_path / "static" / ".collected").stat().st_mtime_ns
    User.objects.create_user("olivia@example.org", "x", name="Olivia", role="owner")
    call_command("prepare")
    assert "/setup/" not in capsys.readouterr().out
    assert SetupLink.objects.count() == 1
    assert (tmp_path / "static" / ".collected").stat().st_mtime_ns == first
