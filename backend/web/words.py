"""Words of clearing on a screen: amounts of a purse, states, and refusals by their reason."""

from backend.config import Unit
from backend.errors import (
    BankEntryRefused,
    BankFileRefused,
    ExceptionRefused,
    LedgerError,
    LinkError,
    NotFound,
    OfferRefused,
    PersonRefused,
    ReportRefused,
    SettlementRefused,
)
from web.words import _, euros, language, mark

_UNITS: dict[Unit, tuple[tuple[str, str], tuple[str, str]]] = {
    "point": (("punt", "punten"), ("point", "points")),
    "visit": (("bezoek", "bezoeken"), ("visit", "visits")),
    "item": (("stuk", "stuks"), ("item", "items")),
}
_NO_VAULT = mark("De kluis geeft geen antwoord. Er is niets verloren. Probeer het later nog een keer.")
# How far a visit came, as finance sees it.
RECORD_STATES = {
    "received": mark("ingeleverd, nog niet bewezen"),
    "in_doubt": mark("niet zeker of er betaald is"),
    "rejected": mark("geweigerd"),
    "proven": mark("bewezen, nog niet afgerekend"),
    "settled": mark("afgerekend, nog niet betaald"),
    "paid": mark("betaald"),
    "returned": mark("betaling kwam terug"),
}
# What a posting is of, of those that move a purse or are of a venue.
POSTING_KINDS = {
    "load": mark("opgeladen"),
    "tap": mark("bezoek"),
    "reversal": mark("teruggedraaid"),
    "lapse": mark("vervallen of teruggekomen"),
}
# Of a settlement, and of one payment of it.
PAYMENT_STATES = {
    "prepared": (mark("wacht op goedkeuring"), "warning"),
    "approved": (mark("goedgekeurd"), "positive"),
    "sent": (mark("bij de bank"), "positive"),
    "revoked": (mark("teruggehaald"), "negative"),
    "withdrawn": (mark("ingetrokken"), "neutral"),
    "accepted": (mark("aangenomen door de bank"), "positive"),
    "rejected": (mark("geweigerd door de bank"), "negative"),
    "paid": (mark("betaald"), "positive"),
    "returned": (mark("teruggekomen"), "negative"),
}
# What a person looks at before approving.
ACCOUNTS = {
    "first": mark("eerste betaling"),
    "new": mark("nieuwe rekening"),
    "came back": mark("kwam eerder terug"),
}
WHY_UNMATCHED = {
    "unknown": mark("Het kenmerk is niet van ons."),
    "amount": mark("Het kenmerk is van ons, maar het bedrag niet."),
    "not approved": mark("De afrekening met dit kenmerk is niet goedgekeurd."),
    "again": mark("Deze betaling is al een keer gemeld."),
    "rejected": mark("De bank had deze betaling geweigerd."),
    "revoked": mark("Deze betaling was teruggehaald."),
    "paid": mark("De bank had deze betaling al gemeld als betaald."),
}
CLOSING_KINDS = {"lapse": mark("vervalt"), "restore": mark("komt terug")}
CLOSING_STATES = {
    "proposed": (mark("wacht op een tweede persoon"), "warning"),
    "decided": (mark("besloten"), "positive"),
    "withdrawn": (mark("ingetrokken"), "neutral"),
}
# Of long work, with what to do.
RUN_STATES = {
    "running": (mark("is bezig"), "warning", mark("U kunt intussen iets anders doen.")),
    "done": (mark("klaar"), "positive", ""),
    "no vault": (mark("geen antwoord van de kluis"), "negative", _NO_VAULT),
    "failed": (mark("mislukt"), "negative", mark("Dit ging mis. Er is niets veranderd. Bel uw beheerder.")),
    "broken off": (mark("afgebroken"), "negative", mark("De server stopte voordat dit klaar was. Begin opnieuw.")),
}
# Names of tables, columns and rows.
STATISTICS = {
    "month": mark("Bezoeken per maand"),
    "category": mark("Bezoeken per soort en kwartaal"),
    "venue": mark("Bezoeken per aanbieder"),
    "reach": mark("Bereik, op de dag van de telling"),
    "taps": mark("Bezoeken"),
    "year": mark("Jaar"),
    "passes in use": mark("Passen in gebruik"),
    "total": mark("Totaal"),
    "other": mark("overig"),
}
PROPOSAL_STATES = {
    "proposed": (mark("voorgesteld"), "warning"),
    "approved": (mark("goedgekeurd, nog niet op de apparaten"), "warning"),
    "rejected": (mark("afgewezen"), "negative"),
    "withdrawn": (mark("ingetrokken"), "neutral"),
    "published": (mark("staat op de apparaten"), "positive"),
}
# By what was refused, and then by its reason.
REFUSALS: dict[type[LedgerError], dict[str, str]] = {
    SettlementRefused: {
        "waiting": mark("Er wacht nog een afrekening op goedkeuring. Laat die eerst goedkeuren of trek die in."),
        "period": mark("Deze dagen zijn al afgerekend. Kies een latere dag."),
        "nothing": mark("Er is tot en met deze dag niets af te rekenen."),
        "two people": mark("U hebt deze afrekening zelf voorbereid. Laat iemand anders goedkeuren."),
        "three people": mark("U hebt deze afrekening al nagekeken. Laat een derde persoon goedkeuren."),
        "prepared": mark("Deze afrekening is nog niet goedgekeurd."),
        "approved": mark("Deze afrekening is al goedgekeurd. Laad de pagina opnieuw."),
        "sent": mark("Deze afrekening is al bij de bank. Laad de pagina opnieuw."),
        "revoked": mark("Deze afrekening is teruggehaald. Het bestand mag niet naar de bank."),
        "withdrawn": mark("Deze afrekening is al ingetrokken. Laad de pagina opnieuw."),
        "not approved": mark("Deze afrekening is niet goedgekeurd, dus er is nog geen bestand."),
        "behind": mark(
            "Er is een kopie van de boeken teruggezet. Eerst moeten de betaalopdrachten en afschriften van daarna erin."
            " Vraag uw beheerder."
        ),
    },
    PersonRefused: {"person": mark("Vul in wie dit doet.")},
    ExceptionRefused: {
        "two people": mark("U hebt dit zelf voorgesteld. Laat iemand anders bevestigen."),
        "reason": mark("Kies waarom u dit sluit."),
        "note": mark("Schrijf in hoogstens 200 tekens op waarom. Noem geen namen."),
        "action": mark("Dit kan nu niet meer. Laad de pagina opnieuw."),
    },
    BankFileRefused: {
        "two files": mark("De bank gaf twee bestanden hetzelfde nummer. Bel de bank."),
        "size": mark("Dit bestand is te groot. Vraag de bank om kortere perioden."),
        "xml": mark("Dit is geen bestand van een bank."),
        "version": mark("Dit soort bestand kennen we niet. Haal camt.053, camt.054 of pain.002 op bij de bank."),
        "format": mark("Dit bestand klopt niet. Haal het opnieuw op bij de bank."),
        "account": mark("Dit bestand gaat over een andere rekening."),
        "behind": mark(
            "De bank noemt een afrekening die niet in de boeken staat. Er is een oude kopie teruggezet. Er wordt niets"
            " betaald tot de betaalopdracht is ingelezen. Bel uw beheerder."
        ),
        "unknown file": mark("De bank noemt een bestand dat niet van ons is. Bel de bank."),
        "unknown payment": mark("De bank noemt een betaling die niet van ons is. Bel de bank."),
    },
    BankEntryRefused: {
        "two people": mark("U hebt dit zelf gezegd. Iemand anders moet hetzelfde zeggen."),
        "reason": mark("Schrijf in hoogstens 200 tekens op waarom dit niet van ons is."),
        "decided": mark("Hierover is al besloten. Laad de pagina opnieuw."),
        "status report": mark("Dit is een bericht over een betaling, geen betaling. Bel de bank."),
        "amount": mark("Het bedrag van deze betaling is anders."),
        "not approved": mark("De afrekening van deze betaling is niet goedgekeurd."),
        "paid": mark("Deze betaling is al betaald."),
        "returned": mark("Deze betaling is al teruggekomen."),
        "revoked": mark("Deze betaling is teruggehaald."),
        "rejected": mark("Deze betaling is geweigerd."),
    },
    OfferRefused: {
        "own proposal": mark("U hebt dit zelf voorgesteld. Laat iemand anders besluiten."),
        "no reason": mark("Schrijf op waarom u dit afwijst. De aanbieder leest dat."),
        "decided": mark("Hierover is al besloten. Laad de pagina opnieuw."),
        "offer venue": mark("Dit aanbod is van een andere aanbieder."),
        "venue purse": mark("U mag niet uit dit tegoed afschrijven. Vraag het aan de gemeente."),
        "purses": mark("Kies minstens een tegoed."),
        "purse in use": mark("Er is nog aanbod met dit tegoed. Stop eerst dat aanbod."),
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
    },
    ReportRefused: {
        "period": mark("Deze periode is er niet. Kies er een uit de lijst."),
        "tax number": mark("Een RSIN heeft negen cijfers. Vul dat van de gemeente in."),
        "year": mark("Op deze dag eindigt geen pasjaar. Kies een andere dag."),
        "too early": mark("Dit kan nog niet. Er kunnen nog bezoeken van dit jaar binnenkomen."),
        "proposed": mark("Voor dit pasjaar is al iets voorgesteld. Laad de pagina opnieuw."),
        "closed": mark("Dit pasjaar is al afgesloten, of dat is voorgesteld. Laad de pagina opnieuw."),
        "nothing": mark("Vul bij minstens een tegoed in hoeveel."),
        "amount": mark("Vul een bedrag of aantal in, hoogstens wat erbij staat."),
        "two people": mark("U hebt dit zelf voorgesteld. Laat iemand anders besluiten."),
        "changed": mark("Er is nu minder over dan is voorgesteld. Trek het in en stel het opnieuw voor."),
        "running": mark("Dit is al bezig. U hoeft niets te doen."),
        "published": mark("Deze cijfers zijn al gepubliceerd. Ze blijven zoals ze zijn."),
        "no reach": mark("Dit bestand is geen telling van de passen. Vraag de balie om het bestand."),
        "other municipality": mark("Deze telling van de passen is van een andere gemeente. Neem het eigen bestand."),
        "other year": mark("Deze telling van de passen is van een ander jaar. Neem het bestand van het gekozen jaar."),
    },
    NotFound: {
        "settlement": mark("Deze afrekening is er niet. Ga terug naar de lijst."),
        "statement": mark("Deze aanbieder staat niet in deze afrekening."),
        "invoice": mark("Voor deze aanbieder is geen factuur gemaakt."),
        "quarantine": mark("Dit geval is er niet. Ga terug naar de lijst."),
        "exception": mark("Dit geval is er niet. Ga terug naar de lijst."),
        "entry": mark("Deze regel van de bank is er niet. Laad de pagina opnieuw."),
        "payment": mark("Deze betaling is er niet. Laad de pagina opnieuw."),
        "closing": mark("Voor dit jaar is niets voorgesteld. Laad de pagina opnieuw."),
        "statistics": mark("De cijfers van dit jaar zijn nog niet gepubliceerd."),
        "proposal": mark("Dit voorstel is er niet. Laad de pagina opnieuw."),
        "venue": mark("Deze aanbieder is er niet."),
        "no venue": mark("Uw account hoort nog niet bij een aanbieder. Vraag het aan de gemeente."),
    },
}
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
    words = REFUSALS.get(type(error), {}).get(error.reason)
    if words is not None:
        return _(words)
    return _(_ANYTHING, reason=error.reason)
