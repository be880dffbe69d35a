"""Open to everybody: a holder, or a parent, blocks a lost pass with the code on it and the date of birth."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from issuer import import_fields as fields
from issuer.import_fields import BadField
from issuer.lost import NoSuchPass, TooOften, block_by_holder
from issuer.web.config import here
from web.words import _, said

pages = Blueprint("holder", __name__)


@pages.get("/lost")
def lost() -> str:
    return render_template("holder/lost.html", error="", code="")


@pages.post("/lost")
def block() -> Response | tuple[str, int]:
    code = request.form.get("code", "")
    try:
        born = fields.birth(request.form.get("born", "").strip(), here().today())
        with here().guard.one_try(code, request.remote_addr or "-"), here().registry.transaction() as session:
            block_by_holder(session, code, born, here().now())
    except BadField:
        return _again(code, _("Dit is geen datum. Schrijf de geboortedatum als 31-01-2015.")), 400
    except NoSuchPass as refused:
        return _again(code, said(refused)), 400
    except TooOften as refused:
        return _again(code, said(refused)), 429
    flash(_("De pas is geblokkeerd. Een apparaat weigert de pas zodra het weer verbinding maakt."), "ok")
    return redirect(url_for("holder.done"), 303)


@pages.get("/lost/done")
def done() -> str:
    return render_template("holder/done.html")


def _again(code: str, error: str) -> str:
    return render_template("holder/lost.html", error=error, code=code)
