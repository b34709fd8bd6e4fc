"""Writes static/icons.svg from the names below. Needs npm: `python static/vendor/icons.py`. The sprite is committed; running Carnet needs no Node."""

import re
import subprocess
import tarfile
import tempfile
from pathlib import Path

VERSION = "3.51.0"
NAMES = """
activity adjustments alert-circle alert-triangle arrow-back-up arrow-down arrow-left arrow-right arrow-up arrows-sort armchair ban
bell book brush building-store calendar calendar-check calendar-event calendar-month calendar-off calendar-plus calendar-repeat
calendar-time calendar-week calendar-x cash chart-bar check checkbox chevron-down chevron-left chevron-right chevron-up chevrons-right
circle circle-check circle-dashed circle-x clipboard clock clock-hour-4 clock-pause code copy currency-euro device-desktop
device-floppy device-mobile door-enter dots dots-vertical download edit equal external-link eye eye-off file file-spreadsheet
file-text filter flag git-merge grip-vertical heart heartbeat help-circle help-hexagon history home hourglass id info-circle key
keyboard language link list lock lock-open login logout mail mail-check mail-off mail-x map-pin menu-2 arrow-merge message message-2
message-off message-x moon note notes palette password pencil percentage phone plug plug-connected-x plus printer qrcode
question-mark refresh repeat rotate scissors search select-all send server settings shield shield-check shield-lock sort-ascending
sort-descending sparkles star stethoscope sun tag trash trending-up upload urgent user user-check user-circle user-cog user-off user-plus
user-question user-x users walk wifi-off world x zoom-in
""".split()


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
