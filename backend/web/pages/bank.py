"""What the bank says: files taken in, what is missing among its statements, and entries that fit nothing of ours."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from backend.errors import LedgerError
from backend.web.acting import acting
from backend.web.config import clearing
from backend.web.permissions import needs
from backend.web.words import WHY_UNMATCHED, refused
from web.login import officer
from web.words import _, mark

pages = Blueprint("bank", __name__, url_prefix="/bank")
_MOST_SHOWN = 12
_COUNTS = {
    "accepted": mark("aangenomen"),
    "rejected": mark("geweigerd"),
    "paid": mark("betaald"),
    "returned": mark("teruggekomen"),
    "repeated": mark("al bekend"),
    "unmatched": mark("uit te zoeken"),
}


@pages.get("")
def index() -> str:
    return _index()


@pages.post("")
@needs("settle")
def take() -> Response | tuple[str, int]:
    files = [each for each in request.files.getlist("files") if each.filename]
    if not files:
        return _index(_("Kies een bestand van de bank.")), 400
    for each in files:
        try:
            with acting("take in bank file", "bank"):
                receipt = clearing().bank.take(each.read(), officer().user_name)
        except LedgerError as error:
            return _index(f"{each.filename}: {refused(error)}"), 400
        done = ", ".join(f"{count} {_(_COUNTS[what])}" for what, count in receipt.counts) or _("niets nieuws")
        if receipt.known:
            done = _("dit bestand was er al")
        elif receipt.duplicate:
            done = _("de bank kreeg deze opdracht twee keer en voert de eerste uit")
        flash(f"{receipt.kind}: {done}.", "ok")
    return redirect(url_for("bank.index"), 303)


@pages.post("/<int:entry>/assign")
@needs("settle")
def assign(entry: int) -> Response | tuple[str, int]:
    try:
        with acting("assign bank entry", f"bank entry {entry}"):
            found = clearing().bank.assign(entry, request.form.get("payment", ""), officer().user_name)
    except LedgerError as error:
        return _index(refused(error)), 400
    if found.state == "proposed":
        flash(_("Genoteerd. Zegt iemand anders hetzelfde, dan is het geboekt."), "ok")
    else:
        flash(_("Geboekt."), "ok")
    return redirect(url_for("bank.index"), 303)


@pages.post("/<int:entry>/not-ours")
@needs("settle")
def not_ours(entry: int) -> Response | tuple[str, int]:
    try:
        with acting("set bank entry aside", f"bank entry {entry}"):
            clearing().bank.not_ours(entry, request.form.get(f"words-{entry}", ""), officer().user_name)
    except LedgerError as error:
        return _index(refused(error)), 400
    flash(_("Genoteerd dat dit niet van ons is."), "ok")
    return redirect(url_for("bank.index"), 303)


def _index(wrong: str = "") -> str:
    bank = clearing().bank
    statements = bank.statements()
    return render_template(
        "bank/index.html",
        entries=bank.unmatched(),
        faults=[each for each in statements if not each.whole],
        statements=list(reversed(statements))[:_MOST_SHOWN],
        files=list(reversed(bank.files()))[:_MOST_SHOWN],
        why=WHY_UNMATCHED,
        me=officer().user_name,
        wrong=wrong,
    )
