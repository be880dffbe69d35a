"""The desk's pages as a server."""

import json

from tests import served
from tests.city import ROOT
from tests.served import speak_nonsense, written_down

_KEY = bytes(16).hex()
DESK = {"vault": {"address": "http://127.0.0.1:9"}, "terminal": 1, "link_key": _KEY, "sealing": []}
LISTS = {"hotlist_key": _KEY, "signing_key": bytes(32).hex(), "certificate": _KEY}


def test_all_that_the_desk_writes_down_has_the_six_fields(tmp_path):
    secrets, log = tmp_path / "issuer.json", tmp_path / "log"
    secrets.write_text(json.dumps(DESK | LISTS))
    words = "--data", tmp_path / "desk", "--scheme", ROOT / "schemes/gelrepas.toml", "--secrets", secrets
    with served.running(log, "issuer", "serve", *words, until="/login") as address:
        speak_nonsense(address)
    lines = written_down(log)
    assert ("gunicorn.error", "warning") in {(line["object"], line["result"]) for line in lines}
