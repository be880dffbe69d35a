"""The page of the simulator. It is served to this machine only, under an address that nobody else can guess."""

import base64
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, current_app, render_template, request, send_from_directory
from werkzeug.serving import WSGIRequestHandler, make_server

from terminal.errors import TerminalError
from terminal.firmware import signals
from terminal.simulator import words
from terminal.simulator.simulator import KEYS, NOTHING, PLUG, TEAR, Simulator, Situation
from web.headers import protect

HERE = "127.0.0.1"
LANGUAGES = ("nl", "en")
_PATIENCE_S = 20
_MOST_BYTES = 1024

pages = Blueprint("simulator", __name__, template_folder="templates", static_folder="static")


def create_app(simulator: Simulator, design: Path, secret: str) -> Flask:
    """The app, all of it under `/SECRET/`. `design`: the folder with the style sheets of the design system."""
    app = Flask("terminal.simulator", static_folder=None)
    app.extensions["simulator"] = simulator
    app.extensions["design"] = design
    app.config["MAX_CONTENT_LENGTH"] = _MOST_BYTES
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.register_blueprint(pages, url_prefix=f"/{secret}")
    app.register_error_handler(TerminalError, lambda error: (str(error), 400))

    # Registered first, so it has the last word.
    @app.after_request
    def keep_address(response: Response) -> Response:
        # The address is the key to the page.
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    protect(app, https=False)
    return app


class _Quiet(WSGIRequestHandler):
    """Writes no line for each request: the address is a secret, and nobody reads them."""

    def log_request(self, *about: object) -> None:
        return None


@contextmanager
def served(simulator: Simulator, design: Path, port: int = 0) -> Iterator[str]:
    """Serve the page; its address."""
    secret = secrets.token_urlsafe(16)
    server = make_server(HERE, port, create_app(simulator, design, secret), True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{HERE}:{server.server_port}/{secret}/"
    finally:
        server.shutdown()
        thread.join()


def _simulator() -> Simulator:
    found: Simulator = current_app.extensions["simulator"]
    return found


@pages.get("/")
def page() -> str:
    simulator = _simulator()
    language = simulator.situation().language
    return render_template(
        "simulator.html",
        lang=LANGUAGES[language],
        language=language,
        words={name: said[language] for name, said in words.PAGE.items()},
        exercises=[said[language] for said in words.EXERCISES],
        keys=[(key, words.KEYS[key][language] if key in words.KEYS else "") for key in KEYS],
        passes=[(each.key, each.name[language], each.about[language]) for each in simulator.city.passes],
        middles=(NOTHING, TEAR, PLUG),
    )


@pages.get("/design/<name>")
def design(name: str) -> Response:
    return send_from_directory(current_app.extensions["design"], name)


@pages.get("/situation")
def situation() -> dict[str, Any]:
    """Waits until something is newer than `after`."""
    simulator = _simulator()
    return _told(simulator, simulator.situation(request.args.get("after", -1, int), _PATIENCE_S))


@pages.post("/key")
def press() -> tuple[str, int]:
    _simulator().press(_asked("key"))
    return "", 204


@pages.post("/pass")
def hold() -> tuple[str, int]:
    """A pass on the reader, or none."""
    key = _asked("pass")
    if key:
        _simulator().place(key)
    else:
        _simulator().take_away()
    return "", 204


@pages.post("/middle")
def middle() -> tuple[str, int]:
    _simulator().in_the_middle(_asked("middle"))
    return "", 204


@pages.post("/plug")
def plug() -> tuple[str, int]:
    """In or out."""
    if _asked("plug") == "in":
        _simulator().plug_in()
    else:
        _simulator().pull_the_plug()
    return "", 204


@pages.post("/language")
def language() -> tuple[str, int]:
    _simulator().speak(LANGUAGES.index(_asked("language")) if _asked("language") in LANGUAGES else 0)
    return "", 204


def _asked(name: str) -> str:
    return str((request.get_json(silent=True) or {}).get(name, ""))


def _told(simulator: Simulator, now: Situation) -> dict[str, Any]:
    """A situation in the words of the page."""
    screen, language = now.screen, now.language
    kind = signals.kind(screen.code) if screen else signals.QUIET
    sounds = words.SOUNDS[kind][language]
    beat = words.rhythm(screen.tones) if screen else ""
    return {
        "number": now.number,
        "screens": now.screens,
        "on": screen is not None,
        "state": words.state(screen.state, language) if screen else words.OFF[language],
        "result": words.result(screen.code, language) if screen else "",
        "lines": [screen.first, screen.second] if screen else ["", ""],
        "picture": base64.b64encode(screen.picture).decode() if screen else "",
        "tones": screen.tones if screen else [],
        "light": screen.light if screen else [0, 0, 0],
        "lightName": words.LIGHTS[kind][language],
        "sound": f"{sounds} ({beat})" if beat else sounds,
        "onReader": now.on_reader,
        "middle": now.middle,
        "holds": {each.key: simulator.city.holds(each.card, language) for each in simulator.city.passes},
    }
