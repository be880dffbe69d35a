"""Why a terminal said no: the code on its screen, what it means, and what the clerk can do. No word on where it was."""

from dataclasses import dataclass

from flask import Blueprint, render_template, request

from web.words import _, mark

pages = Blueprint("declines", __name__)


@dataclass(frozen=True)
class Decline:
    """A code of a terminal: what it means, and what to do about it."""

    code: str
    means: str
    to_do: str


# The same codes as on the terminals; a test compares them.
DECLINES = (
    Decline("00", mark("Het is gelukt."), mark("U hoeft niets te doen.")),
    Decline("01", mark("Het bedrag staat weer op de pas."), mark("U hoeft niets te doen.")),
    Decline(
        "02",
        mark("Deze pas heeft dit net al betaald. Er is niets extra afgeschreven."),
        mark("U hoeft niets te doen. Was het voor nog iemand? De medewerker kan het nog een keer afschrijven."),
    ),
    Decline(
        "10",
        mark("De pas was te kort bij het apparaat."),
        mark("Houd de pas nog een keer stil tegen hetzelfde apparaat. Er wordt nooit twee keer betaald."),
    ),
    Decline(
        "11",
        mark("Het apparaat was even te druk."),
        mark("Houd de pas nog een keer tegen hetzelfde apparaat. Er wordt nooit twee keer betaald."),
    ),
    Decline(
        "20",
        mark("Het apparaat herkent de pas niet."),
        mark(
            "Lees de pas hier op de lezer. Lukt dat ook niet? Dan is de pas kapot: blokkeer de pas en maak een nieuwe."
        ),
    ),
    Decline(
        "21",
        mark("De pas is van een gemeente die daar niet meedoet."),
        mark("Kijk naar het logo op de pas. De bewoner kan de pas gebruiken in de eigen gemeente."),
    ),
    Decline(
        "22",
        mark("De pas is verlopen."),
        mark("Kijk bij de persoon tot wanneer de pas geldig is. Geven de regels weer een pas? Leg de pas op de lezer."),
    ),
    Decline(
        "23",
        mark("De pas is geblokkeerd."),
        mark("Kijk bij de persoon waarom. Is de pas gevonden? Lees de pas op de lezer en open de pas weer."),
    ),
    Decline(
        "24",
        mark("Er staat te weinig op de pas."),
        mark("Lees de pas op de lezer en laat zien wat er nog op staat. Wacht er nog tegoed? Zet het op de pas."),
    ),
    Decline(
        "25",
        mark("Dit kan op die plek niet met deze pas."),
        mark("Leg uit waar het tegoed voor is. Vindt u het vreemd? Vraag het aan de beheerder van de aanbieders."),
    ),
    Decline(
        "26",
        mark("Er was daar niets om terug te boeken."),
        mark("Terugboeken kan alleen op dezelfde plek, met dezelfde pas, als laatste betaling."),
    ),
    Decline(
        "27",
        mark("De pas is nog niet geldig."),
        mark("Kijk bij de persoon vanaf wanneer de pas geldig is, en zeg dat tegen de bewoner."),
    ),
    Decline(
        "30",
        mark("Het apparaat heeft te oude lijsten."),
        mark("Dit ligt niet aan de pas. De winkel moet het apparaat aansluiten."),
    ),
    Decline(
        "31",
        mark("Het geheugen van het apparaat is vol."),
        mark("Dit ligt niet aan de pas. De winkel moet het apparaat aansluiten."),
    ),
    Decline(
        "32",
        mark("De lezer van het apparaat werkt niet."),
        mark("Dit ligt niet aan de pas. De winkel moet de kabel van het apparaat nakijken."),
    ),
    Decline(
        "33",
        mark("De sleutelchip van het apparaat werkt niet."),
        mark("Dit ligt niet aan de pas. De winkel belt de beheerder van de aanbieders."),
    ),
    Decline("40", mark("Het apparaat is open voor de dienst."), mark("U hoeft niets te doen.")),
    Decline("41", mark("Het apparaat is gesloten."), mark("De winkel moet de PIN typen.")),
    Decline(
        "42", mark("De winkel typte een foute PIN."), mark("Dit ligt niet aan de pas. De winkel typt de PIN opnieuw.")
    ),
    Decline(
        "43",
        mark("De winkel typte te vaak een foute PIN."),
        mark(
            "Dit ligt niet aan de pas. Het apparaat wacht, hoogstens een kwartier. PIN vergeten? Dan belt de winkel "
            "de beheerder van de aanbieders."
        ),
    ),
    Decline("44", mark("De nieuwe PIN van de winkel is te makkelijk."), mark("De winkel kiest een andere PIN.")),
    Decline("45", mark("De winkel typte de nieuwe PIN niet twee keer gelijk."), mark("De winkel typt de PIN opnieuw.")),
    Decline("46", mark("De winkel heeft een nieuwe PIN."), mark("U hoeft niets te doen.")),
)


@pages.get("/declines")
def explain() -> str:
    asked = request.args.get("code", "").strip()
    found = [(each.code, _(each.means), _(each.to_do)) for each in DECLINES if asked in ("", each.code)]
    return render_template("declines.html", asked=asked, rows=found)
