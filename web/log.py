"""What a server did, a line of JSON for each call, with the six fields of BIO2 8.15.01 and no other.

They are action, object, result, origin, actor and the time. A seventh field is refused: whoever wants one has to think
here of whom it would name.
"""

import sys
from collections.abc import Callable
from typing import Any, TextIO

import structlog
from flask import Flask, Response, request

FIELDS = frozenset({"action", "object", "result", "origin", "actor"})


class EventLog:
    """Lines to a stream (standard error unless said otherwise), from where the machine's own log takes them."""

    def __init__(self, stream: TextIO | None = None) -> None:
        stamp = structlog.processors.TimeStamper(fmt="iso", utc=True, key="at")
        lines = structlog.processors.JSONRenderer(sort_keys=True)
        self._logger = structlog.wrap_logger(
            structlog.WriteLogger(stream or sys.stderr), processors=[_six_fields, stamp, lines]
        )

    def add(self, **fields: str) -> None:
        """A line of the FIELDS; raises ValueError when one is missing or is not one of them."""
        self._logger.info(None, **fields)


def _six_fields(logger: Any, method: str, event: Any) -> Any:
    if event.keys() != FIELDS:
        raise ValueError(f"a line has {', '.join(sorted(FIELDS))}, not {', '.join(sorted(event))}")
    return event


def log_calls(app: Flask, log: EventLog, actor: Callable[[], str]) -> None:
    """A line for each call to the interface. `actor`: the role that asks; what is asked with stays out."""

    @app.after_request
    def logged(response: Response) -> Response:
        log.add(
            action=f"{request.method} {request.endpoint or 'nothing'}",
            object=request.path,
            result=str(response.status_code),
            origin=request.remote_addr or "this process",
            actor=actor(),
        )
        return response
