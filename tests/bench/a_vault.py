"""The vault of the bench as a process of its own: `python -m tests.bench.a_vault (prove|yes) SOCKET`.

`yes` answers as fast as it can that every record is proven: it checks nothing.
"""

import hashlib
import sys
from collections.abc import Callable

from flask import Flask, Response, request

from card.record import CLEAR_BYTES
from keys.http import BACKEND, create_app
from keys.proving import RECORD_BYTES
from tests.city import VAULT, PaperLog
from web.serving import Server


def yes() -> Flask:
    app = Flask("yes")

    @app.post("/v1/prove")
    def prove() -> Response:
        body = request.get_data()
        proofs = [
            # Proven: terminal and sequence as asked, no reason, and a nullifier.
            body[at + 2 : at + 10] + b"\0" + hashlib.md5(body[at : at + CLEAR_BYTES], usedforsecurity=False).digest()
            for at in range(0, len(body), RECORD_BYTES)
        ]
        return Response(b"".join(proofs), mimetype="application/octet-stream")

    return app


def main() -> None:
    made: dict[str, Callable[[], object]] = {
        "prove": lambda: create_app(VAULT, PaperLog(), lambda _: BACKEND),
        "yes": yes,
    }
    kind, socket = sys.argv[1:]
    Server(made[kind], {"bind": f"unix:{socket}", "worker_class": "gthread", "threads": 8, "loglevel": "warning"}).run()


if __name__ == "__main__":
    main()
