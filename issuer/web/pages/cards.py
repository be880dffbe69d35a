"""Passes: make one while the resident waits, hand it over, block it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from issuer import messages
from issuer.desk import Issued
from issuer.errors import DeskError
from issuer.personalise import Tell
from issuer.registry import cards as stock
from issuer.registry import loads, passes, people
from issuer.registry.tables import CardPass
from issuer.web.config import here
from issuer.web.permissions import needs
from issuer.work import DONE, RUNNING, Work
from web import audit_log
from web.audit import audit
from web.login import officer
from web.words import _, mark, said

pages = Blueprint("cards", __name__)

# What the reader is doing, in the order in which it does so.
STEPS = {
    "card": mark("Kaart gevonden"),
    "keys": mark("Sleutels op de kaart zetten"),
    "files": mark("Vakken voor tegoeden maken"),
    "content": mark("Gegevens schrijven en teruglezen"),
    "hidden": mark("Nummer van de kaart verbergen"),
    "budgets": mark("Tegoeden op de pas zetten"),
}
REASONS = {
    "lost": mark("verloren"),
    "stolen": mark("gestolen"),
    "broken": mark("kapot"),
    "moved": mark("verhuisd"),
    "other": mark("iets anders"),
}


@dataclass(frozen=True)
class Step:
    """A line of the progress: `todo`, `now` or `ready`."""

    words: str
    state: str


# Making


@pages.get("/people/<int:number>/pass")
@needs("issue")
def make(number: int) -> str:
    with here().registry.transaction() as session:
        holder = people.holder(session, number)
        return render_template("cards/make.html", holder=holder, card=passes.of(session, holder.id))


@pages.post("/people/<int:number>/pass")
@needs("issue")
def begin(number: int) -> AnyResponse:
    config, counter, by, today = here(), here().at_counter(), officer().user_name, here().today()
    origin = request.remote_addr or "-"
    with config.registry.transaction() as session:
        holder, there = people.holder(session, number), passes.of(session, number)
    # A pass that was made once needs only what is new on it.
    made = there if there is not None and there.uid is not None else None

    def issue(tell: Tell) -> Issued:
        desk, reader = counter.desk(by, tell), counter.reader()
        issued = desk.renew(made, reader, today) if made else desk.issue(holder, reader, today)
        with config.registry.transaction() as session:
            if made is None:
                stock.taken_at_counter(session, issued.card, by, today)
            about = f"pass {issued.card.printed_code}"
            audit_log.add(session, config.now(), by, origin, "load pass" if made else "make pass", about, "done")
        return issued

    work = counter.bench.start(f"person {number}", issue)
    return redirect(url_for("cards.progress", number=number, work=work.number), 303)


@pages.get("/people/<int:number>/pass/<int:work>")
@needs("issue")
def progress(number: int, work: int) -> str | AnyResponse:
    found = _work(number, work)
    if found.state == DONE:
        issued = found.result
        assert isinstance(issued, Issued)
        return render_template(
            "cards/made.html",
            number=number,
            card=issued.card,
            purses=here().purses(issued.balances),
            renewed=issued.renewed,
        )
    return render_template(
        "cards/steps.html" if "HX-Request" in request.headers else "cards/progress.html",
        number=number,
        work=found,
        steps=_steps(found),
        running=found.state == RUNNING,
        why=_why(found),
        has_card="card" in found.steps,
    )


@pages.get("/people/<int:number>/pass/<int:work>/events")
@needs("issue")
def events(number: int, work: int) -> Response:
    """The progress as server-sent events: one with how far it is for each step, and `end` at the end."""
    found, bench = _work(number, work), here().at_counter().bench

    def stream() -> Iterator[str]:
        seen = -1
        while True:
            news = bench.news(found, seen)
            seen = len(found.steps)
            yield f"data: {json.dumps({'steps': seen, 'state': found.state})}\n\n" if news else ": still here\n\n"
            if found.state != RUNNING:
                yield "event: end\ndata: {}\n\n"
                return

    return Response(stream(), content_type="text/event-stream", headers={"Cache-Control": "no-store"})


# Handing over


@pages.get("/passes/<code>/hand-over")
@needs("issue")
def hand_over(code: str) -> str:
    with here().registry.transaction() as session:
        card = passes.coded(session, code)
        guardians = people.guardians(session, card.holder, here().today())
        return render_template("cards/hand_over.html", card=card, holder=card.holder, guardians=guardians)


@pages.post("/passes/<code>/hand-over")
@needs("issue")
def handed_over(code: str) -> AnyResponse:
    to = request.form.get("to", "").strip()
    by_post = request.form.get("how") == "post"
    with here().registry.transaction() as session:
        card = passes.coded(session, code)
        if passes.hand_over(session, card, by_post, officer().user_name, here().now(), to[:80]):
            audit(session, "send pass" if by_post else "hand over pass", f"pass {card.printed_code}")
            if by_post:
                messages.posted(session, card, here().today())
    return redirect(url_for("cards.receipt", code=card.printed_code), 303)


@pages.get("/passes/<code>/receipt")
@needs("issue")
def receipt(code: str) -> str:
    with here().registry.transaction() as session:
        card = passes.coded(session, code)
        written = [load for load in loads.of(session, card.holder_id) if load.state == "written"]
        last = passes.events(session, card)[0]
        return render_template(
            "cards/receipt.html",
            card=card,
            holder=card.holder,
            event=last,
            given=[(here().scheme.purses[load.purse], load.amount) for load in reversed(written)],
        )


# Lost


@pages.get("/passes/<code>/block")
@needs("passes")
def block(code: str) -> str:
    return _about(code, "cards/block.html", reasons=[(name, _(words)) for name, words in REASONS.items()])


@pages.post("/passes/<code>/block")
@needs("passes")
def blocked(code: str) -> AnyResponse:
    reason = request.form.get("reason", "other")
    if reason not in REASONS:
        abort(400)
    with here().registry.transaction() as session:
        card = passes.coded(session, code)
        passes.move(session, card, "blocked", officer().user_name, here().now(), _(REASONS[reason]))
        if request.form.get("letter") == "yes":
            messages.blocked(session, card, here().today())
        audit(session, "block pass", f"pass {card.printed_code}")
    flash(_("De pas is geblokkeerd. Een apparaat weigert de pas zodra het weer verbinding maakt."), "ok")
    return redirect(url_for("lost.start", code=card.printed_code), 303)


@pages.get("/passes/<code>/destroy")
@needs("passes")
def destroy(code: str) -> str:
    return _about(code, "cards/destroy.html")


@pages.post("/passes/<code>/destroy")
@needs("passes")
def destroyed(code: str) -> AnyResponse:
    """A pass that came back, or was spoiled, went through the shredder. One that is in use is blocked first."""
    with here().registry.transaction() as session:
        card = passes.coded(session, code)
        if passes.destroy(session, card, officer().user_name, here().now()):
            audit(session, "destroy pass", f"pass {card.printed_code}")
        number = card.holder_id
    flash(_("De pas staat als vernietigd in de registratie."), "ok")
    return redirect(url_for("people.person", number=number), 303)


def _about(code: str, template: str, **facts: object) -> str:
    with here().registry.transaction() as session:
        card: CardPass = passes.coded(session, code)
        return render_template(template, card=card, holder=card.holder, **facts)


def _work(number: int, work: int) -> Work[Issued]:
    found = here().at_counter().bench.find(work)
    if found is None or found.about != f"person {number}":
        abort(404)
    return found


def _steps(work: Work[Issued]) -> list[Step]:
    done = [name for name in STEPS if name in work.steps]
    now = done[-1] if done and work.state == RUNNING else None
    return [
        Step(_(words), "now" if name == now else "ready" if name in done else "todo") for name, words in STEPS.items()
    ]


def _why(work: Work[Issued]) -> str:
    if work.error is None:
        return _("Er ging iets mis. Leg de kaart terug en probeer het nog een keer.")
    if isinstance(work.error, DeskError):
        return said(work.error)
    return _("De kaartlezer doet het niet. Kijk of de kabel erin zit, of bel uw beheerder.")
