"""Words of clearing on a screen: amounts of a purse, states, and refusals by their reason."""

from backend.config import Unit
from backend.errors import LedgerError, LinkError
from web.words import _, euros, language, mark

_UNITS: dict[Unit, tuple[tuple[str, str], tuple[str, str]]] = {
    "point": (("punt", "punten"), ("point", "points")),
    "visit": (("bezoek", "bezoeken"), ("visit", "visits")),
    "item": (("stuk", "stuks"), ("item", "items")),
}
SETTLEMENT_STATES = {
    "prepared": (mark("wacht op goedkeuring"), "warning"),
    "approved": (mark("goedgekeurd"), "positive"),
    "withdrawn": (mark("ingetrokken"), "neutral"),
}
PROPOSAL_STATES = {
    "proposed": (mark("voorgesteld"), "warning"),
    "approved": (mark("goedgekeurd, nog niet op de apparaten"), "warning"),
    "rejected": (mark("afgewezen"), "negative"),
    "withdrawn": (mark("ingetrokken"), "neutral"),
    "published": (mark("staat op de apparaten"), "positive"),
}
REFUSALS = {
    "waiting": mark("Er wacht nog een afrekening op goedkeuring. Laat die eerst goedkeuren of trek die in."),
    "period": mark("Deze dagen zijn al afgerekend. Kies een latere dag."),
    "nothing": mark("Er is tot en met deze dag niets af te rekenen."),
    "two people": mark("U hebt deze afrekening zelf voorbereid. Laat iemand anders goedkeuren."),
    "approved": mark("Deze afrekening is al goedgekeurd. Laad de pagina opnieuw."),
    "withdrawn": mark("Deze afrekening is al ingetrokken. Laad de pagina opnieuw."),
    "not approved": mark("Deze afrekening is niet goedgekeurd, dus er is nog geen bestand."),
    "person": mark("Vul in wie dit doet."),
    "settlement": mark("Deze afrekening is er niet. Ga terug naar de lijst."),
    "statement": mark("Deze aanbieder staat niet in deze afrekening."),
    "own proposal": mark("U hebt dit zelf voorgesteld. Laat iemand anders besluiten."),
    "no reason": mark("Schrijf op waarom u dit afwijst. De aanbieder leest dat."),
    "decided": mark("Hierover is al besloten. Laad de pagina opnieuw."),
    "proposal": mark("Dit voorstel is er niet. Laad de pagina opnieuw."),
    "offer venue": mark("Dit aanbod is van een andere aanbieder."),
    "venue purse": mark("U mag niet uit dit tegoed afschrijven. Vraag het aan de gemeente."),
    "purses": mark("Kies minstens een tegoed."),
    "purse in use": mark("Er is nog aanbod met dit tegoed. Stop eerst dat aanbod."),
    "venue": mark("Deze aanbieder is er niet."),
    "no venue": mark("Uw account hoort nog niet bij een aanbieder. Vraag het aan de gemeente."),
    "name": mark("Geef het aanbod een naam van 1 tot 60 tekens."),
    "price": mark("Kies hoe de prijs werkt."),
    "purse": mark("Dit tegoed past niet bij deze manier van betalen. Kies een ander tegoed."),
    "purse2": mark("Het tweede tegoed klopt niet."),
    "amount": mark("Vul in hoeveel er van het tegoed af gaat, alleen bij een vast bedrag of bij korting."),
    "percent": mark("Vul het percentage in, van 1 tot 100, alleen bij korting."),
    "cap": mark("Vul de hoogste korting in, in euro, alleen bij korting."),
    "compensated": mark("De gemeente kan alleen een korting in procenten vergoeden."),
    "compensation": mark("Een vergoeding per keer kan alleen bij een vast aantal, niet bij geld."),
    "from": mark("Vul een goede eerste dag in."),
    "until": mark("De laatste dag ligt voor de eerste dag, of is al voorbij."),
    "quarantine": mark("Dit geval is er niet. Ga terug naar de lijst."),
}
_NO_VAULT = mark("De kluis geeft geen antwoord. Er is niets verloren. Probeer het later nog een keer.")
_ANYTHING = mark("Dit is geweigerd. Er is niets veranderd. Bel uw beheerder en noem dit woord: %(reason)s.")


def amount(number: int, unit: Unit) -> str:
    """An amount of a purse, in its unit."""
    if unit == "cent":
        return euros(number)
    one, several = _UNITS[unit][1 if language() == "en" else 0]
    return f"{number} {one if abs(number) == 1 else several}"


def refused(error: LedgerError | LinkError) -> str:
    """Why clearing said no, with what to do."""
    if isinstance(error, LinkError):
        return _(_NO_VAULT)
    if error.reason in REFUSALS:
        return _(REFUSALS[error.reason])
    return _(_ANYTHING, reason=error.reason)
