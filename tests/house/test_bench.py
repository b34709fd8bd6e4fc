"""The benches: each runs on a database of its own, prints what the pages on performance name, and leaves nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import __main__ as command
from bench.result import Result, percentile

ROOT = Path(__file__).parents[2]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "DATA_DIR", "CARNET_TESTING"}}
    return subprocess.run(
        [sys.executable, "-m", "bench", *arguments],
        cwd=ROOT,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_result_is_a_table_for_people_and_one_line_for_machines() -> None:
    result = Result("x", {"ours ms": 1.5, "rows": 20}, {"vs_peer": 3.0}, targets={"vs_peer": "at least 2"})
    assert json.loads(result.line()) == {"name": "x", "figures": {"ours ms": 1.5, "rows": 20}, "ratios": {"vs_peer": 3.0}}
    assert "wanted: at least 2" in result.table()


@pytest.mark.parametrize(("share", "value"), [(0, 1), (0.5, 50), (0.95, 95), (1, 100)])
def test_a_percentile_is_a_value_that_was_measured(share: float, value: int) -> None:
    assert percentile(list(range(100, 0, -1)), share) == value


def test_an_unknown_bench_names_those_there_are() -> None:
    assert "search" in command.names()
    done = run("nonsense")
    assert done.returncode == 2
    assert "search" in done.stderr


def test_search_is_measured_on_a_database_of_its_own(tmp_path: Path) -> None:
    done = run("search", "--clients", "60", "--runs", "1", DATA_DIR=str(tmp_path / "mine"), TMPDIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["name"] == "search"
    assert set(last["ratios"]) == {"vs_icontains", "worst_p95_ms"}
    assert last["figures"]["clients"] == 60
    assert not (tmp_path / "mine").exists(), "the data of an installation is never touched"
    assert not list(tmp_path.glob("bench-*")), "and nothing is left behind"


def test_the_list_is_measured_over_http_beside_a_bare_view_and_the_admin(tmp_path: Path) -> None:
    done = run("list", "--clients", "120", "--runs", "1", TMPDIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["name"] == "list"
    assert set(last["ratios"]) == {"vs_bare_view", "vs_admin", "vs_admin_alike", "vs_admin_search", "deep_vs_first"}
    assert last["figures"]["pages"] == 3
    assert not list(tmp_path.glob("bench-*"))


def test_a_merge_is_measured_beside_one_bare_update(tmp_path: Path) -> None:
    done = run("merge", "--visits", "40", TMPDIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    last = json.loads(done.stdout.splitlines()[-1])
    assert (last["name"], set(last["ratios"]), last["figures"]["visits"]) == ("merge", {"vs_one_update"}, 40)
    assert not list(tmp_path.glob("bench-*"))


def test_the_plan_is_measured_beside_a_loop_and_at_ten_times_the_size(tmp_path: Path) -> None:
    done = run("plan", "--clients", "200", "--runs", "1", TMPDIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["name"] == "plan"
    assert set(last["ratios"]) == {"vs_orm_loop", "growth_10x"}
    assert (last["figures"]["clients"], last["figures"]["visits"]) == (200, 2000)
    assert not list(tmp_path.glob("bench-*"))
