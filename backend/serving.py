"""Clearing's HTTP interface as a server: several processes over one database, none with a connection of another."""

from backend.config import Config
from backend.http import caller, create_app
from web.log import EventLog, log_remarks
from web.serving import Server


def serve(config: Config, host: str, port: int, workers: int) -> None:
    """Run until told to stop."""
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    options = {"bind": bind, "workers": workers, "worker_class": "gthread", "threads": 8, "loglevel": "warning"}
    log = EventLog()
    log_remarks(log, caller)
    Server(lambda: create_app(config, log=log), options).run()
