"""The face of a pass: looked at, and printed on a card or to a file."""

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from hardware.errors import PrintedBefore
from issuer.errors import DeskError
from issuer.personalise import unheard
from issuer.printing.artwork import Artwork
from issuer.printing.job import face_of, job_name, last_day, without_photo
from issuer.registry import passes, people
from issuer.web.config import here
from web.audit import audit
from web.login import officer
from web.words import _

pages = Blueprint("faces", __name__)
_MOST_PHOTO_BYTES = 10_000_000


@pages.post("/people/<int:number>/face")
def set_aside(number: int) -> AnyResponse:
    """Set a card aside for somebody, with a code for its face."""
    with here().registry.transaction() as session:
        holder = people.holder(session, number)
    here().at_counter().desk(officer().user_name, unheard).set_aside(holder, here().today())
    with here().registry.transaction() as session:
        audit(session, "set a card aside", f"person {number}")
    return redirect(url_for("faces.show", number=number), 303)


@pages.get("/people/<int:number>/face")
def show(number: int) -> str:
    with here().registry.transaction() as session:
        holder = people.holder(session, number)
        card = passes.of(session, number)
        if card is None:
            abort(404)
        return render_template(
            "cards/face.html",
            holder=holder,
            card=card,
            needs_photo="photo" in _artwork().design.places,
            printer=here().printer is not None,
            again=request.args.get("again") == "yes",
        )


@pages.get("/passes/<code>/face-<side>.png")
def picture(code: str, side: str) -> Response:
    """As it will be printed, without the photo: that is nowhere until it is printed."""
    artwork = _artwork()
    with here().registry.transaction() as session:
        card = passes.coded(session, code)
        face = face_of(artwork, card, without_photo())
        content = artwork.png(face, "back" if side == "back" else "front", last_day(artwork, [card]))
    return Response(content, mimetype="image/png", headers={"Cache-Control": "no-store"})


@pages.post("/passes/<code>/face")
def put_on_card(code: str) -> AnyResponse:
    config, artwork = here(), _artwork()
    photo = request.files["photo"].read(_MOST_PHOTO_BYTES) if request.files.get("photo") else None
    with config.registry.transaction() as session:
        card = passes.coded(session, code)
        document = artwork.pdf([face_of(artwork, card, photo)], last_day(artwork, [card]))
    if request.form.get("how") == "file" or config.printer is None:
        _printed(code)
        headers = {"Content-Disposition": f'attachment; filename="{code}.pdf"', "Cache-Control": "no-store"}
        return Response(document, mimetype="application/pdf", headers=headers)
    try:
        config.printer.print_pdf(document, job_name([card]), again=request.form.get("again") == "yes")
    except PrintedBefore:
        flash(
            _("De printer heeft deze pas al geprint. Kijk in de bak. Mislukt? Print nog een keer."),
            "warning",
        )
        return redirect(url_for("faces.show", number=card.holder_id, again="yes"), 303)
    _printed(code)
    flash(_("De pas is geprint. Leg de kaart op de lezer."), "ok")
    return redirect(url_for("cards.make", number=card.holder_id), 303)


def _printed(code: str) -> None:
    here().at_counter().desk(officer().user_name, unheard).printed(code)
    with here().registry.transaction() as session:
        audit(session, "print pass", f"pass {code}")


def _artwork() -> Artwork:
    found = here().artwork
    if found is None:
        raise DeskError("This desk has no artwork to print. Ask the administrator.")
    return found
