"""The yearly test of all holders: a preview, a second person who accepts it, and the letters that follow."""

import hashlib
import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response as AnyResponse

from issuer import messages, renewal
from issuer.errors import DeskError
from issuer.letters.batch import waiting, write
from issuer.letters.folder import make
from issuer.registry import people
from issuer.web.config import here
from issuer.work import DONE, RUNNING, Work
from web import audit_log
from web.audit import audit
from web.csv_export import csv_text
from web.login import officer
from web.words import _, language, said

pages = Blueprint("renewals", __name__)
_MOST_SHOWN = 200
Tell = Callable[[str], None]


@pages.get("/renewals")
def index() -> str:
    with here().registry.transaction() as session:
        return render_template(
            "renewals/index.html",
            runs=renewal.runs(session),
            year=here().scheme.pass_year(_next_year()),
            letters=messages.unsent(session),
            written=[(path.name, _mark(path)) for path in _written()],
        )


@pages.post("/renewals")
def preview() -> AnyResponse:
    config, by, origin, on = here(), officer().user_name, request.remote_addr or "-", _next_year()

    def test(tell: Tell) -> int:
        with config.registry.transaction() as session:
            run = renewal.preview(session, config.scheme, on, by, config.now(), _percent(tell))
            audit_log.add(session, config.now(), by, origin, "preview renewal", f"renewal {run.id}", "done")
            return run.id

    return _started(config.tasks.start("preview", test))


@pages.get("/renewals/<int:number>")
def show(number: int) -> str:
    with here().registry.transaction() as session:
        run = renewal.find(session, number)
        rows = [row for row in renewal.rows(session, run) if row.outcome == "loses" or row.became]
        shown = [(row, people.holder(session, row.holder_id)) for row in rows[:_MOST_SHOWN]]
        return render_template(
            "renewals/show.html",
            run=run,
            counts=run.counts,
            progress=renewal.progress(session, run),
            rows=shown,
            more=len(rows) - len(shown),
            mine=run.made_by == officer().user_name,
            place=1 if language() == "en" else 0,
        )


@pages.get("/renewals/<int:number>/counts.csv")
def counts(number: int) -> Response:
    """For outside the team: numbers of fewer than five people are not in it."""
    with here().registry.transaction() as session:
        facts = renewal.for_others(renewal.find(session, number).counts)
    rows = [(grant["name"], grant["people"], grant["costs"], grant["unit"]) for grant in facts["grants"]]
    rows += [(fund["fund"], "", fund["amount"], fund["unit"]) for fund in facts["funds"]]
    content = csv_text(("budget", "people", "amount", "unit"), rows).encode("utf-8-sig")
    headers = {"Content-Disposition": f'attachment; filename="renewal-{number}.csv"'}
    return Response(content, mimetype="text/csv", headers=headers)


@pages.post("/renewals/<int:number>/accept")
def accept(number: int) -> AnyResponse:
    config, by, origin = here(), officer().user_name, request.remote_addr or "-"

    def plan(tell: Tell) -> int:
        run = renewal.accept(config.registry, number, config.scheme, by, config.now(), _percent(tell))
        with config.registry.transaction() as session:
            audit_log.add(session, config.now(), by, origin, "accept renewal", f"renewal {run.id}", "done")
        return run.id

    with config.registry.transaction() as session:
        if renewal.find(session, number).made_by == by:
            raise DeskError("Somebody else than who made the preview has to accept it.")
    return _started(config.tasks.start("accept", plan))


@pages.post("/renewals/<int:number>/cancel")
def cancel(number: int) -> AnyResponse:
    with here().registry.transaction() as session:
        renewal.cancel(session, number)
        audit(session, "cancel renewal", f"renewal {number}")
    flash(_("Dit voorbeeld telt niet meer."), "ok")
    return redirect(url_for("renewals.index"), 303)


# Letters


@pages.post("/letters")
def letters() -> AnyResponse:
    config, today = here(), here().today()
    office = config.office()

    def print_all(tell: Tell) -> int:
        with config.registry.transaction() as session:
            batches, unreachable = waiting(session, office, today)
        make(config.letters)
        total, done = sum(len(batch.letters) for batch in batches), iter(range(1, 1 << 30))
        hear = _percent(tell)
        for number, batch in enumerate(batches, start=1):
            path = config.letters / f"letters-{number:03}.pdf"
            write(batch, path, lambda: hear(next(done), total))
            path.with_suffix(".json").write_text(json.dumps(batch.numbers))
        return len(unreachable)

    return _started(config.tasks.start("letters", print_all))


@pages.get("/letters/<name>")
def letter(name: str) -> AnyResponse:
    if name not in {path.name for path in _written()}:
        abort(404)
    return send_file(here().letters.resolve() / name, as_attachment=True)


@pages.post("/letters/sent")
def sent() -> AnyResponse:
    """What this officer saw was printed; not what somebody made anew in the meantime."""
    lists = {_mark(path): path.with_suffix(".json") for path in _written()}
    seen = request.form.getlist("letters")
    if not seen or set(seen) != set(lists):
        raise DeskError("The letters were made anew since you looked. Print those, and say so then.")
    with here().registry.transaction() as session:
        numbers = [number for path in lists.values() for number in json.loads(path.read_text())]
        count = messages.sent(session, numbers, here().today())
        audit(session, "send letters", "letters")
    for path in lists.values():
        path.with_suffix(".pdf").unlink(missing_ok=True)
        path.unlink(missing_ok=True)
    flash(_("%(count)s brieven zijn verstuurd.", count=count), "ok")
    return redirect(url_for("renewals.index"), 303)


@pages.post("/letters/notices")
def notices() -> AnyResponse:
    """Put down who gets a notice because their pass ends soon."""
    config = here()
    proof = config.office().proof_before(config.scheme.year_end(config.today()))
    with config.registry.transaction() as session:
        count = messages.notices(session, config.scheme, config.today(), proof, config.language)
        audit(session, "put down notices", "letters")
    flash(_("%(count)s mensen krijgen een brief dat hun pas afloopt.", count=count), "ok")
    return redirect(url_for("renewals.index"), 303)


# Work that takes longer than a page


@pages.get("/tasks/<int:number>")
def task(number: int) -> str | AnyResponse:
    found = here().tasks.find(number)
    if found is None:
        abort(404)
    if found.state == DONE:
        if found.about != "letters":
            return redirect(url_for("renewals.show", number=found.result), 303)
        if found.result:
            flash(
                _("%(count)s brieven wachten nog: deze huishoudens hebben geen adres.", count=found.result), "warning"
            )
        return redirect(url_for("renewals.index"), 303)
    running = found.state == RUNNING
    why = "" if running else said(found.error) if isinstance(found.error, DeskError) else _("Er ging iets mis.")
    return render_template(
        "renewals/task.html", running=running, why=why, percent=found.steps[-1] if found.steps else "0"
    )


def _started(work: Work[int]) -> AnyResponse:
    return redirect(url_for("renewals.task", number=work.number), 303)


def _percent(tell: Tell) -> Callable[[int, int], None]:
    """Tells each whole percent once."""
    told = [-1]

    def hear(done: int, total: int) -> None:
        percent = done * 100 // max(total, 1)
        if percent > told[0]:
            told[0] = percent
            tell(str(percent))

    return hear


def _next_year() -> date:
    """The first day of the pass year that comes."""
    scheme, today = here().scheme, here().today()
    return scheme.year_end(today) + timedelta(days=1)


def _written() -> list[Path]:
    """The PDFs that wait to be printed."""
    return sorted(path for path in here().letters.glob("letters-*.pdf") if path.with_suffix(".json").exists())


def _mark(path: Path) -> str:
    """Tells one set of letters from another of the same name."""
    return hashlib.sha256(path.with_suffix(".json").read_bytes()).hexdigest()
