"""Writes static/icons.svg from the names in icons.txt: `python static/vendor/icons.py`.

Needs npm. The sprite is committed, so running Carnet needs no Node.
"""

import re
import subprocess
import tarfile
import tempfile
from pathlib import Path

VERSION = "3.51.0"
NAMES = (Path(__file__).parent / "icons.txt").read_text().split()


def main() -> None:
    """Fetch the package and write the sprite, sorted by name."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--silent", f"@tabler/icons@{VERSION}"], cwd=folder, check=True, capture_output=True)
        archive = next(Path(folder).glob("*.tgz"))
        with tarfile.open(archive) as tar:
            symbols = [_symbol(tar, name) for name in sorted(set(NAMES))]
    head = '<svg xmlns="http://www.w3.org/2000/svg">\n'
    note = f"<!-- Tabler Icons {VERSION}, MIT, Pawel Kuna -->\n"
    target = Path(__file__).resolve().parent.parent / "icons.svg"
    target.write_text(head + note + "\n".join(symbols) + "\n</svg>\n", encoding="utf-8")


def _symbol(tar: tarfile.TarFile, name: str) -> str:
    file = tar.extractfile(f"package/icons/outline/{name}.svg")
    if file is None:
        raise SystemExit(f"No icon of the name {name}")
    paths = re.findall(r"<(?:path|circle|rect|line|polyline)[^>]*/>", file.read().decode())
    paths = [path for path in paths if 'stroke="none"' not in path]
    return f'<symbol id="{name}" viewBox="0 0 24 24">{"".join(paths)}</symbol>'


if __name__ == "__main__":
    main()
