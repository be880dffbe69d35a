"""A simulator to look at: the training city, the real firmware on MicroPython, and windows of Chromium on its page."""

from pathlib import Path

import pytest

import web
from meedoen.training import TrainingCity
from terminal.simulator.pages import served
from terminal.simulator.simulator import Simulator

DESIGN = Path(web.__file__).with_name("static") / "vendor"


@pytest.fixture
def city(tmp_path):
    made = TrainingCity(tmp_path / "city")
    yield made
    made.close()


@pytest.fixture
def simulator(tmp_path, firmware, city):
    made = Simulator(tmp_path / "flash", firmware, city)
    yield made
    made.close()


@pytest.fixture
def address(simulator):
    with served(simulator, DESIGN) as place:
        yield place


@pytest.fixture
def window(chromium, address):
    """`window(width=400)` is a page of the simulator."""
    contexts = []

    def of(width=1280):
        context = chromium.new_context(viewport={"width": width, "height": 1000}, locale="nl-NL")
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.said = []
        page.on("console", lambda message: page.said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.goto(address)
        page.locator("#state").get_by_text("aanbod").wait_for()
        return page

    yield of
    for context in contexts:
        context.close()
