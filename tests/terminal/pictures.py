"""The screens of a terminal and its simulator as pictures, for docs/terminal.md: `make pictures`, or this alone."""

import io
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import sync_playwright

from meedoen.training import TrainingCity
from terminal.build import build_firmware
from terminal.firmware.screen import HEIGHT, WIDTH
from terminal.simulator.pages import served
from terminal.simulator.simulator import Simulator
from tests.browser import CHROMIUM
from tests.city import ROOT
from tests.terminal.drawing import drawn
from tests.terminal.screens import screens
from tests.terminal.simulator.conftest import DESIGN

LANGUAGES = ("nl", "en")
_COLUMNS, _SCALE, _EDGE, _CAPTION, _BEZEL = 4, 2, 10, 22, 6
_COLOURS = 64


def keep_terminal(browser, folder: Path, work: Path) -> None:
    """A sheet of all screens in each language, and the page of the simulator."""
    for language, name in enumerate(LANGUAGES):
        _sheet(language).save(folder / f"terminal-screens-{name}.png", optimize=True)
    build_firmware(work / "firmware")
    city = TrainingCity(work / "city")
    simulator = Simulator(work / "flash", work / "firmware", city)
    try:
        with served(simulator, DESIGN) as address:
            _simulator(browser, address, folder)
    finally:
        simulator.close()
        city.close()


def _sheet(language: int) -> Image.Image:
    shown = screens(language)
    panel = WIDTH * _SCALE + 2 * _BEZEL, HEIGHT * _SCALE + 2 * _BEZEL
    wide, high = panel[0] + _EDGE, panel[1] + _EDGE + _CAPTION
    sheet = Image.new("L", (_COLUMNS * wide + _EDGE, -(-len(shown) // _COLUMNS) * high + _EDGE), 255)
    pen, letters = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    for at, ((state, code, _), (rows, _, _)) in enumerate(zip(shown, drawn(shown), strict=True)):
        left, top = _EDGE + at % _COLUMNS * wide, _EDGE + at // _COLUMNS * high
        pen.text((left, top), f"{state} {code}", fill=0, font=letters)
        screen = Image.new("L", (WIDTH, HEIGHT))
        screen.putdata([255 if pixel == "#" else 0 for row in rows for pixel in row])
        sheet.paste(0, (left, top + _CAPTION, left + panel[0], top + _CAPTION + panel[1]))
        sheet.paste(
            screen.resize((WIDTH * _SCALE, HEIGHT * _SCALE), Image.Resampling.NEAREST),
            (left + _BEZEL, top + _CAPTION + _BEZEL),
        )
    return sheet.convert("1")


def _simulator(browser, address: str, folder: Path) -> None:
    page = browser.new_page(viewport={"width": 1100, "height": 900}, locale="nl-NL")
    page.goto(address)
    page.locator("#state").get_by_text("aanbod").wait_for()
    for key in "3#2050#":
        page.locator(f"#keys button[value='{key}']").click()
    page.locator("#passes button[value='budget']").click()
    page.locator("#result").get_by_text("JA").wait_for()
    picture = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
    picture.quantize(_COLOURS, Image.Quantize.MAXCOVERAGE).save(folder / "terminal-simulator.png", optimize=True)
    page.close()


def main() -> None:
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as work:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        keep_terminal(browser, ROOT / "docs/pictures", Path(work))
        browser.close()


if __name__ == "__main__":
    main()
