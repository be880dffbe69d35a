"""What was refused, by kind: what happened in plain words, and what somebody can do about it."""

from dataclasses import dataclass

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from backend.web.acting import acting
from backend.web.config import clearing
from backend.web.permissions import needs
from web.words import _, mark

pages = Blueprint("exceptions", __name__, url_prefix="/exceptions")


@dataclass(frozen=True)
class Kind:
    """A kind of refusal: its name, what happened, and what to do. Dutch, to be said with `_`."""

    name: str
    happened: str
    to_do: str


_TAMPERED = mark("Haal het apparaat op en laat het nakijken. Bel de sleutelbeheerder.")
_RETRY = mark("Probeer het opnieuw als de oorzaak weg is.")
_ASK_VENUE = mark("Vraag de aanbieder wat er is gebeurd. Zonder bewijs wordt niet betaald.")
KINDS = {
    "format": Kind(
        mark("Geen leesbare levering"),
        mark("Wat binnenkwam is geen levering van een apparaat, of er ontbreekt een stuk."),
        mark("Laat het apparaat opnieuw inleveren. De gegevens staan nog op het apparaat."),
    ),
    "terminal": Kind(
        mark("Onbekend apparaat"),
        mark("Het apparaat staat hier niet bij een aanbieder."),
        mark("Zet het apparaat bij de aanbieder en probeer het dan opnieuw."),
    ),
    "mac": Kind(
        mark("Niet echt"),
        mark("De handtekening klopt niet. Het apparaat of de pas heeft dit niet gemaakt, of het is veranderd."),
        _TAMPERED,
    ),
    "chain": Kind(
        mark("De volgorde klopt niet"),
        mark("De regels van het apparaat volgen niet op elkaar. Er is een regel weg of veranderd."),
        _TAMPERED,
    ),
    "record": Kind(
        mark("Onleesbare regel"),
        mark("Een regel van het apparaat is niet te lezen."),
        mark("Zet nieuwe software op het apparaat en probeer het opnieuw."),
    ),
    "two journals": Kind(
        mark("Twee versies van een apparaat"),
        mark("Wat binnenkwam spreekt tegen wat we al hadden. Het apparaat is gekopieerd of teruggezet."),
        _TAMPERED,
    ),
    "sequence": Kind(
        mark("Een nummer dat al bestaat"),
        mark("Het apparaat heeft dit nummer al een keer gebruikt voor iets anders."),
        _TAMPERED,
    ),
    "seal": Kind(
        mark("Het bewijs hoort er niet bij"),
        mark("Het verzegelde bewijs hoort bij een andere regel."),
        _TAMPERED,
    ),
    "handle": Kind(
        mark("Geen pas van ons"),
        mark("De pas is niet door deze gemeente gemaakt."),
        _ASK_VENUE,
    ),
    "year": Kind(
        mark("Geen sleutels van dat jaar"),
        mark("De kluis heeft geen sleutels meer van het jaar waarin dit gebeurde."),
        mark("Bel de sleutelbeheerder."),
    ),
    "replay": Kind(
        mark("Dubbel"),
        mark("Dit bezoek is al een keer ingeleverd, onder een ander nummer. Het is een keer betaald."),
        mark("U hoeft niets te doen. Gebeurt het vaker? Laat het apparaat nakijken."),
    ),
    "offer": Kind(
        mark("Onbekend aanbod"),
        mark("Het nummer van het aanbod bestaat niet."),
        mark("Vraag de aanbieder wat er is verkocht. Zet het aanbod erin en probeer het opnieuw."),
    ),
    "offer venue": Kind(
        mark("Aanbod van een ander"),
        mark("Het aanbod is van een andere aanbieder."),
        _ASK_VENUE,
    ),
    "offer day": Kind(
        mark("Aanbod dat niet meer gold"),
        mark("Het aanbod gold op die dag niet, ook niet op een apparaat zonder netwerk."),
        _ASK_VENUE,
    ),
    "amount": Kind(
        mark("Een ander bedrag dan afgesproken"),
        mark("Het tegoed, het bedrag of de prijs is niet wat bij het aanbod hoort."),
        _ASK_VENUE,
    ),
    "purse": Kind(
        mark("Onbekend tegoed"),
        mark("De regeling kent dit tegoed niet."),
        _RETRY,
    ),
    "load": Kind(
        mark("Opladen bij een aanbieder"),
        mark("Alleen de balie mag een pas opladen. Dit kwam van een aanbieder."),
        _TAMPERED,
    ),
    "desk": Kind(
        mark("Bezoek bij de balie"),
        mark("Dit is een bezoek bij een aanbieder, maar het kwam van de balie."),
        _ASK_VENUE,
    ),
    "grant": Kind(
        mark("Onbekende toekenning"),
        mark("De regeling kent deze toekenning niet, of die hoort bij een ander tegoed."),
        mark("Lees de nieuwe regeling in en probeer het dan opnieuw."),
    ),
}
# What has no words yet is shown all the same.
_OTHER = Kind(mark("Iets anders"), mark("Dit is geweigerd om een reden die hier nog niet staat."), _RETRY)


@pages.get("")
def index() -> str:
    with clearing().store.transaction() as tx:
        items = tx.quarantine.items()
    counts: dict[str, int] = {}
    for item in items:
        counts[item.reason] = counts.get(item.reason, 0) + 1
    kinds = [(reason, KINDS.get(reason, _OTHER), count) for reason, count in sorted(counts.items())]
    return render_template("exceptions/index.html", kinds=kinds)


@pages.get("/<reason>")
def kind(reason: str) -> str:
    with clearing().store.transaction() as tx:
        items = [item for item in tx.quarantine.items() if item.reason == reason]
        venues = {row.number: row.name for row in tx.catalogue.venues()}
        at = {row.number: venues.get(row.venue) for row in tx.catalogue.terminals()}
    if not items and reason not in KINDS:
        abort(404)
    rows = [(item, at.get(item.terminal)) for item in items]
    return render_template("exceptions/kind.html", kind=KINDS.get(reason, _OTHER), rows=rows)


@pages.post("/items/<int:number>/retry")
@needs("mend")
def retry(number: int) -> Response:
    with clearing().store.transaction() as tx:
        held = tx.quarantine.item(number)
    with acting("retry exception", f"exception {number}"):
        tried = clearing().ingest.retry(number)
    if tried.resolved:
        flash(_("Gelukt. Dit is nu verwerkt."), "ok")
    else:
        name = KINDS.get(tried.reason or "", _OTHER).name
        flash(_("Het is weer geweigerd: %(why)s.", why=_(name)), "warning")
    assert held is not None  # retry refuses what is not there
    return redirect(url_for("exceptions.kind", reason=held.reason), 303)
