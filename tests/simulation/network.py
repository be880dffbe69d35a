"""The network between a venue and clearing: it loses, repeats, delays and reorders what is handed in."""

import random
from collections.abc import Callable

import httpx

# What goes wrong with one request: it does not arrive, its answer does not, it arrives twice, or much later.
LOST, UNANSWERED, TWICE, LATE = "lost", "unanswered", "twice", "late"
WRONGS = (LOST, UNANSWERED, TWICE, LATE)
# Stands between a terminal and clearing, and may change both question and answer.
Meddler = Callable[[httpx.Request, Callable[[httpx.Request], httpx.Response]], httpx.Response]


class Network(httpx.BaseTransport):
    """`wrong`: what goes wrong next, at which request from now. `meddlers`: the hosts of dishonest venues.

    `carried`: what hosts brought to clearing, by the address of a request and in their order.
    """

    def __init__(self, app: httpx.BaseTransport) -> None:
        self.app = app
        self.wrong: tuple[str, int] | None = None
        self.meddlers: dict[int, Meddler] = {}
        self.carried: list[tuple[str, bytes]] = []
        self._late: list[tuple[str, bytes]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        wrong = self._wrong_now()
        if wrong == LATE and request.url.path.endswith("/batches"):
            self._late.append((str(request.url), request.read()))
        if wrong in (LOST, LATE):
            raise httpx.ReadTimeout("no answer", request=request)
        answer = self._through(request)
        if wrong == TWICE:
            answer = self._through(request)
        if wrong == UNANSWERED:
            raise httpx.ReadTimeout("no answer", request=request)
        return answer

    def _wrong_now(self) -> str | None:
        if self.wrong is None:
            return None
        what, left = self.wrong
        self.wrong = (what, left - 1) if left else None
        return None if left else what

    def _through(self, request: httpx.Request) -> httpx.Response:
        terminal = request.url.path.split("/")[3]
        self.carried.append((str(request.url), request.read()))
        meddler = self.meddlers.get(int(terminal))
        answer = meddler(request, self.app.handle_request) if meddler else self.app.handle_request(request)
        answer.read()
        return answer

    def deliver(self, order: random.Random) -> None:
        """What was under way arrives, in another order than it left."""
        late, self._late = self._late, []
        order.shuffle(late)
        with httpx.Client(transport=self.app) as client:
            for url, body in late:
                client.post(url, content=body, headers={"Content-Type": "application/octet-stream"})
