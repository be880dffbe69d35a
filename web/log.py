"""What a server did, a line of JSON for each call, with the six fields of BIO2 8.15.01 and no other.

They are action, object, result, origin, actor and the time. A seventh field is refused: whoever wants one has to think
here of whom it would name.
"""

import logging
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import structlog
from flask import Flask, Response, has_request_context, request

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


def _origin() -> str:
    return request.remote_addr or "this process"


def log_calls(app: Flask, log: EventLog, actor: Callable[[], str]) -> None:
    """A line for each call to the interface. `actor`: the role that asks; what is asked with stays out."""

    @app.after_request
    def logged(response: Response) -> Response:
        log.add(
            action=f"{request.method} {request.endpoint or 'nothing'}",
            object=request.path,
            result=str(response.status_code),
            origin=_origin(),
            actor=actor(),
        )
        return response


def log_remarks(log: EventLog, actor: Callable[[], str]) -> None:
    """A line for all that is said in this process through `logging`, by us or by a library."""
    logging.getLogger().addHandler(_Remarks(log, actor))


class _Remarks(logging.Handler):
    def __init__(self, log: EventLog, actor: Callable[[], str]) -> None:
        super().__init__()
        self._log, self._actor = log, actor

    def emit(self, record: logging.LogRecord) -> None:
        asked = has_request_context()
        self._log.add(
            action=_said(record),
            object=request.path if asked else record.name,
            result=record.levelname.lower(),
            origin=_origin() if asked else "this process",
            actor=self._actor() if asked else "this process",
        )


def _said(record: logging.LogRecord) -> str:
    """Of an error its kind and where it was, not its text: a database puts the values of a row in it."""
    said = record.getMessage()
    if not record.exc_info or record.exc_info[0] is None:
        return said
    places = (f"{Path(each.filename).name}:{each.lineno}" for each in traceback.extract_tb(record.exc_info[2]))
    return f"{said}: {record.exc_info[0].__name__} at {' > '.join(places)}"
