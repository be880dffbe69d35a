"""A photo from a phone or camera, made fit for a pass: upright, cropped, and without what the camera wrote in it."""

from io import BytesIO

from PIL import Image, ImageOps

from issuer.errors import FaceRefused

_DPI = 300
_FORMATS = ("JPEG", "PNG", "WEBP")
# What phones make has 12 to 50 million; more is a mistake, or meant to fill our memory.
_MOST_PIXELS = 64_000_000
# A face is above the middle of a portrait.
_CENTRE = (0.5, 0.4)
_QUALITY = 90


def portrait(photo: bytes, width_mm: int, height_mm: int) -> bytes:
    """A JPEG of these measures at 300 dpi; nothing of the file but its pixels."""
    try:
        with Image.open(BytesIO(photo), formats=_FORMATS) as image:
            # Known from the head of the file, before a pixel is unpacked.
            if image.width * image.height > _MOST_PIXELS:
                raise FaceRefused("The photo has too many pixels; take one with at most 64 megapixels.")
            upright = ImageOps.exif_transpose(image).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise FaceRefused("The photo cannot be read; give a whole JPEG, PNG or WebP file.") from None
    fitted = ImageOps.fit(upright, (_pixels(width_mm), _pixels(height_mm)), centering=_CENTRE)
    # Into a new image: a picture that was opened takes notes of its file along when it is saved.
    bare = Image.new("RGB", fitted.size)
    bare.paste(fitted)
    jpeg = BytesIO()
    bare.save(jpeg, "JPEG", quality=_QUALITY)
    return jpeg.getvalue()


def _pixels(millimetres: int) -> int:
    return round(millimetres * _DPI / 25.4)
