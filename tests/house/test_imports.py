"""Who may import whom: the contracts of pyproject.toml hold, and a broken one is noticed."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LINT = Path(sys.executable).parent / "lint-imports"

WRONG = """
[importlinter]
root_packages = salon
    clients
[importlinter:contract:upward]
name = the ground floor above the clients
type = layers
layers = salon.core
    clients
"""


def lint(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([LINT, "--no-cache", *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)


def test_the_contracts_hold() -> None:
    done = lint()
    assert done.returncode == 0, done.stdout


def test_an_import_upward_would_be_found(tmp_path: Path) -> None:
    config = tmp_path / "wrong.ini"
    config.write_text(WRONG)
    done = lint("--config", str(config))
    assert done.returncode == 1
    assert "is not allowed to import salon.core" in done.stdout or "not allowed to import" in done.stdout


@pytest.mark.parametrize("module", ["clients.fold", "notifications.gate", "notifications.kinds", "appointments.availability"])
def test_a_pure_rule_needs_no_django(module: str) -> None:
    source = ROOT / Path(*module.split(".")).with_suffix(".py")
    words = source.read_text()
    assert "django" not in words.replace("Django", "")
