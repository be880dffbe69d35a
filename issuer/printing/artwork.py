"""Both sides of a pass, as a PDF for the printer and as pictures.

The municipality's template is drawn once, before anybody's name is known, and it is given nothing of a holder: so it
cannot differ from one to another. `frame.typ`, ours, then puts name, code, photo and date in their places on it.
"""

import base64
import json
import re
from collections.abc import Sequence
from datetime import date
from functools import cached_property
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import segno
import typst

from issuer.errors import ArtworkRefused, FaceRefused
from issuer.printing.design import Design, load_design
from issuer.printing.face import Face
from issuer.printing.photo import portrait

Side = Literal["front", "back"]
DPI = 300
_PACKAGE = re.compile(r'"\s*@')
_NO_ROOM = "no room for the name"
# No folder, and none can be made there: a template brings no packages, from the network or from the machine.
_NO_PACKAGES = "/dev/null"


class Artwork:
    """The pass of one municipality, from a folder with `face.typ`, `face.toml` and `logo.svg`, and `fonts` if it likes.

    ArtworkRefused says what in the folder cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.design: Design = load_design(folder / "face.toml")

    @cached_property
    def drawn(self) -> bytes:
        """What every pass has, as a PDF of two pages; the same bytes for everybody."""
        return bytes(self._draw())

    @cached_property
    def grounds(self) -> list[bytes]:
        """The same as pictures, the front first."""
        pictures = self._draw(format="png", ppi=DPI)
        return [pictures] if isinstance(pictures, bytes) else list(pictures)

    def pdf(self, faces: Sequence[Face], valid_until: date | None = None) -> bytes:
        """Two pages of 85.60 x 53.98 mm for each face, in that order: what a card printer takes.

        `valid_until`: one day for all, as all passes of a scheme have.
        """
        return bytes(self._framed(faces, valid_until))

    def png(self, face: Face, side: Side, valid_until: date | None = None) -> bytes:
        """A picture of 1011 x 638 pixels."""
        front, back = self._framed([face], valid_until, format="png", ppi=DPI)
        return bytes(front if side == "front" else back)

    def _draw(self, **output: Any) -> Any:
        template = self._folder / "face.typ"
        try:
            for source in self._folder.rglob("*.typ"):
                if _PACKAGE.search(source.read_text(encoding="utf-8")):
                    raise ArtworkRefused(f"{source} fetches a package; put what it needs in the folder of the artwork.")
            return _typeset(
                template.read_bytes(), self._folder, {"data": json.dumps(self._fixed())}, self._fonts, **output
            )
        except (OSError, UnicodeDecodeError):
            raise ArtworkRefused(
                f"{template} cannot be read; an artwork has face.typ, face.toml and logo.svg."
            ) from None
        except typst.TypstError as error:
            raise ArtworkRefused(
                f"{template} cannot be drawn ({error.message}); it may use the files in its own folder and the data "
                "that the default face.typ uses, and nothing of a holder."
            ) from None

    def _framed(self, faces: Sequence[Face], valid_until: date | None, **output: Any) -> Any:
        if ("valid_until" in self.design.places) != (valid_until is not None):
            raise FaceRefused(
                "A last day of validity is printed on all passes or on none; see valid_until in face.toml."
            )
        faces_data = [self._holder(face) for face in faces]
        data = {
            "colours": self.design.colours,
            "places": {key: vars(place) for key, place in self.design.places.items()},
            "valid_until": f"{valid_until:%d-%m-%Y}" if valid_until else "",
            "faces": faces_data,
        }
        frame = files("issuer.printing") / "frame.typ"
        with TemporaryDirectory(prefix="pass-artwork-") as folder:
            (Path(folder) / "drawn.pdf").write_bytes(self.drawn)
            try:
                return _typeset(frame.read_bytes(), Path(folder), {"data": json.dumps(data)}, self._fonts, **output)
            except typst.TypstError as error:
                if _NO_ROOM in error.message:
                    raise FaceRefused(
                        "A name is too long for its place on the pass; write it shorter, with initials."
                    ) from None
                raise

    def _holder(self, face: Face) -> dict[str, str]:
        """What differs from pass to pass. The photo stays in memory: no file is left when a machine breaks down."""
        if ("name" in self.design.places) != (face.name is not None):
            raise FaceRefused("A name is printed on all passes of a scheme or on none; see [name] in face.toml.")
        if ("photo" in self.design.places) != (face.photo is not None):
            raise FaceRefused("A photo is printed on all passes of a scheme or on none; see [photo] in face.toml.")
        photo = ""
        if face.photo is not None:
            place = self.design.places["photo"]
            photo = _as_svg(portrait(face.photo, place.width, place.height), place.width, place.height)
        name = " ".join((face.name or "").split())
        return {"name": name, "code": face.printed_code, "photo": photo}

    def _fixed(self) -> dict[str, Any]:
        """All that a template is given."""
        return {
            "city": self.design.city,
            "pass_name": self.design.pass_name,
            "phone": self.design.phone,
            "help_page": self.design.help_page.removeprefix("https://"),
            "help_page_qr": segno.make(self.design.help_page, error="m", micro=False).svg_inline(
                border=4, dark="#000000", light="#FFFFFF"
            ),
            "colours": self.design.colours,
            "places": {key: vars(place) for key, place in self.design.places.items()},
        }

    @cached_property
    def _fonts(self) -> typst.Fonts:
        with as_file(files("issuer.printing") / "fonts") as ours:
            folders = [str(ours), str(self._folder / "fonts")]
            return typst.Fonts(include_system_fonts=False, font_paths=[one for one in folders if Path(one).is_dir()])


def load_artwork(folder: Path | None = None) -> Artwork:
    """The artwork in a folder; without one that of the fictional city, to be copied and edited."""
    if folder is not None:
        return Artwork(folder)
    with as_file(files("issuer.printing") / "default") as default:
        return Artwork(default)


def _typeset(source: bytes, root: Path, inputs: dict[str, str], fonts: typst.Fonts, **output: Any) -> Any:
    # The time that a template can ask for is always the same one, so a picture that was checked stays as it is.
    return typst.compile(
        source,
        root=str(root),
        font_paths=fonts,
        sys_inputs=inputs,
        package_path=_NO_PACKAGES,
        package_cache_path=_NO_PACKAGES,
        timestamp=0,
        **{"format": "pdf", **output},
    )


def _as_svg(jpeg: bytes, width: int, height: int) -> str:
    data = base64.b64encode(jpeg).decode()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">'
        f'<image width="{width}" height="{height}" href="data:image/jpeg;base64,{data}"/></svg>'
    )
