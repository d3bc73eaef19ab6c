"""The copy of a picture that may be shown: decoded and encoded anew, so that nothing but its pixels is in it.

Belongs here: Pillow. Place, device and whatever else stands beside the pixels stays in the sealed original alone.
"""

from __future__ import annotations

import io

from PIL import Image, ImageOps

UNREADABLE = "the picture cannot be opened"
MOST_PIXELS = 50_000_000
LONGEST_SIDE = 2048
_QUALITY = 85


def derivative(content: bytes) -> bytes | None:
    """A JPEG with the pixels of a JPEG or PNG and nothing else; None when it does not open or has too many."""
    try:
        # The format is named: of what Pillow can read, only these two are tried.
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG")) as image:
            if image.width * image.height > MOST_PIXELS:
                return None
            image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            upright = ImageOps.exif_transpose(image)
            upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            flat = Image.new("RGB", upright.size, "white")
            mask = upright.convert("RGBA").getchannel("A") if upright.mode in ("RGBA", "LA", "P") else None
            flat.paste(upright.convert("RGB"), mask=mask)
    # What Pillow raises on a broken picture is as manifold as the ways to break one.
    except (OSError, SyntaxError, ValueError, ArithmeticError, Image.DecompressionBombError):
        return None
    made = io.BytesIO()
    flat.save(made, "JPEG", quality=_QUALITY)
    return made.getvalue()
