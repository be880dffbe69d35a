"""Clearing's HTTP interface as a server: several processes over one database."""

from typing import Any

from gunicorn.app.base import BaseApplication

from backend.config import Config
from backend.http import create_app


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, config: Config, options: dict[str, Any]) -> None:
        self._config, self._options = config, options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """In each worker, after it was forked: no two share a connection."""
        return create_app(self._config)


def serve(config: Config, host: str, port: int, workers: int) -> None:
    """Run until told to stop."""
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    options = {"bind": bind, "workers": workers, "worker_class": "gthread", "threads": 8, "loglevel": "warning"}
    _Server(config, options).run()
