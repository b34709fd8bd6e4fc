"""Reads a photo from standard input within limits and writes it as a JPEG, drawn anew: nothing of the file but its dots.

Run apart by `clients.sheets`, never imported. What a hostile file can reach is this process.
"""

import io
import resource
import sys

# All that Pillow would fetch from disk later on, for what a phone writes: once confined, nothing can be fetched.
from PIL import Image, ImageFile, ImageOps, JpegImagePlugin, MpoImagePlugin, PngImagePlugin, TiffImagePlugin  # noqa: F401

MEMORY = 900_000_000
CPU_SECONDS = 12
# More than a phone takes of a sheet, and than a scan of it at 600 dots an inch.
MOST_DOTS = 60_000_000
# Enough to read the smallest print of an A4 sheet.
SIDE = 2_400
NO_PICTURE, TOO_LARGE, DAMAGED = 3, 4, 5


def main() -> int:
    """Draw, write, and return how it went."""
    Image.MAX_IMAGE_PIXELS = None  # our own limit, below, is asked before anything is unpacked
    Image.preinit()
    confine()
    data = io.BytesIO(sys.stdin.buffer.read())
    try:
        picture = Image.open(data, formats=("JPEG", "PNG"))
    except Exception:  # noqa: BLE001 (whatever Pillow says of it: it is no picture of these kinds)
        return NO_PICTURE
    if picture.width * picture.height > MOST_DOTS:
        return TOO_LARGE
    try:
        sys.stdout.buffer.write(drawn(picture))
    except MemoryError:
        return TOO_LARGE
    except Exception:  # noqa: BLE001 (the same)
        return DAMAGED
    return 0


def drawn(picture: Image.Image) -> bytes:
    """Return the picture upright, no larger than SIDE, on white, as a JPEG without anything that the file said besides."""
    picture.draft("RGB", (SIDE, SIDE))
    turned = ImageOps.exif_transpose(picture)
    turned.thumbnail((SIDE, SIDE))
    sheet = Image.new("RGB", turned.size, "white")
    layer = turned.convert("RGBA") if "transparency" in turned.info or "A" in turned.getbands() else turned.convert("RGB")
    sheet.paste(layer, mask=layer if layer.mode == "RGBA" else None)
    out = io.BytesIO()
    sheet.save(out, "JPEG", quality=82, optimize=True)
    return out.getvalue()


def confine() -> None:
    """Give up memory, time, and whatever needs a file descriptor."""
    for name, limit in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 3),
    ):
        resource.setrlimit(name, (limit, limit))


if __name__ == "__main__":
    sys.exit(main())
