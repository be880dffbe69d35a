"""The words of the exceptions desk, in Dutch (B1) and English: what each kind is, what happened, what you can do.

Every code that `names` and the store know has its words here, in both languages.
"""

from typing import NamedTuple


class Words(NamedTuple):
    """Of one kind: the name of its screen, what happened, and what you can do."""

    name: str
    happened: str
    to_do: str


KINDS: dict[str, dict[str, Words]] = {
    "nl": {
        "unreadable": Words(
            "Pakket niet te lezen",
            "Een terminal stuurde een pakket met betalingen. Wij kunnen het niet lezen of niet vertrouwen.",
            "Laat de terminal opnieuw synchroniseren en probeer het dan nog eens. Sluit het pakket alleen als het zeker"
            " niet van een terminal van ons komt.",
        ),
        "two_journals": Words(
            "Twee logboeken van één terminal",
            "Er kwam een pakket binnen dat niet past bij wat wij al van deze terminal hebben. Misschien is de terminal"
            " gekopieerd, of teruggezet naar een oudere stand.",
            "Bel de locatie en haal de terminal uit gebruik. Vraag de sleutelbeheerder om zijn sleutels in te trekken."
            " Sluit dit als het is uitgezocht.",
        ),
        "gap": Words(
            "Er ontbreken regels",
            "Van deze terminal kwamen latere regels wel binnen, maar deze niet.",
            "Laat de terminal opnieuw synchroniseren. Is de terminal weg of kapot? Sluit het gat met twee mensen. Komen"
            " de regels later toch, dan tellen ze gewoon mee.",
        ),
        "doubt": Words(
            "Niet zeker of er betaald is",
            "De pas ging weg voordat de terminal antwoord kreeg.",
            "Meestal lost dit zichzelf op: bij de volgende keer dat de pas wordt gebruikt. Heeft de kluis gevonden dat"
            " er betaald is? Boek het dan met twee mensen. Is de pas verloren, dan kunt u het sluiten.",
        ),
        "not_proven": Words(
            "Geen geldig bewijs",
            "De kluis zegt dat het bewijs bij deze regel niet klopt. De locatie krijgt hiervoor geen geld.",
            "Vraag de locatie wat er gebeurde. Waren er sleutels die de kluis nog niet had? Probeer het dan opnieuw.",
        ),
        "replay": Words(
            "Dezelfde betaling nog een keer",
            "Deze betaling is al eerder ingeleverd, met een ander nummer. Zij telt één keer.",
            "Vraag de locatie of de terminal is gekopieerd. Daarna kunt u dit sluiten.",
        ),
        "refused": Words(
            "Past niet bij de afspraken",
            "De betaling is echt, maar past niet bij wat er met deze locatie is afgesproken.",
            "Kijk naar het aanbod, het bedrag en de potjes van de locatie. Verbeter wat niet klopt en probeer het"
            " opnieuw.",
        ),
        "contradiction": Words(
            "Een terminal spreekt zichzelf tegen",
            "De terminal stuurde twee regels met hetzelfde nummer die niet bij elkaar horen.",
            "Laat de terminal nakijken. Wat het eerst is vastgesteld blijft staan. Daarna kunt u dit sluiten.",
        ),
        "overdue": Words(
            "Terminal lang niet gezien",
            "Deze terminal heeft al lang niets ingeleverd en geen nieuw aanbod gehaald, of nog nooit.",
            "Bel de locatie en vraag om te synchroniseren. Is de terminal niet meer nodig? Haal hem uit de lijst van de"
            " locatie.",
        ),
        "missing": Words(
            "Betaling niet ingeleverd",
            "Een pas weet van een betaling die wij niet hebben. U ziet welke terminal haar moet inleveren.",
            "Laat deze terminal synchroniseren. Komt de betaling binnen, dan is dit klaar. Is de terminal weg? Sluit"
            " dit met twee mensen.",
        ),
        "foreign": Words(
            "Lezer die niet van ons is",
            "Een pas weet van een betaling bij een terminal die geen sleutels van ons heeft.",
            "Bel meteen de sleutelbeheerder: iemand kan sleutels hebben gestolen. Sluit dit als het is uitgezocht.",
        ),
        "differs": Words(
            "Regel anders dan op de pas",
            "Deze regel zegt iets anders dan wat de pas heeft getekend.",
            "Vraag de locatie wat er gebeurde en laat de terminal nakijken. Sluit dit als het is uitgezocht.",
        ),
    },
    "en": {
        "unreadable": Words(
            "Batch that cannot be read",
            "A terminal sent a batch of payments. We cannot read it, or cannot trust it.",
            "Have the terminal sync again, and then try once more. Close the batch only when it is certain that none of"
            " our terminals made it.",
        ),
        "two_journals": Words(
            "Two journals of one terminal",
            "A batch came in that does not fit what we hold of this terminal. Perhaps the terminal was copied, or set"
            " back to an older state.",
            "Call the venue and take the terminal out of use. Ask the key custodian to revoke its keys. Close this when"
            " it was looked into.",
        ),
        "gap": Words(
            "Entries are missing",
            "Later entries of this terminal came in, and these did not.",
            "Have the terminal sync again. Is it gone or broken? Close the gap with two people. If the entries come in"
            " after all, they count.",
        ),
        "doubt": Words(
            "Not certain whether it was paid",
            "The pass left before the terminal had its answer.",
            "Mostly this solves itself, the next time that the pass is used. Did the vault find that it was paid? Then"
            " book it with two people. Is the pass lost, then you can close it.",
        ),
        "not_proven": Words(
            "No valid proof",
            "The vault says that the proof of this record is not right. The venue is not paid for it.",
            "Ask the venue what happened. Were there keys that the vault did not have yet? Then try again.",
        ),
        "replay": Words(
            "The same payment once more",
            "This payment was handed in before, under another number. It counts once.",
            "Ask the venue whether the terminal was copied. Then you can close this.",
        ),
        "refused": Words(
            "Not as agreed",
            "The payment is real, and is not what was agreed with this venue.",
            "Look at the offer, the amount and the purses of the venue. Mend what is wrong and try again.",
        ),
        "contradiction": Words(
            "A terminal contradicts itself",
            "The terminal sent two entries with one number that do not belong together.",
            "Have the terminal looked at. What was decided first stays. Then you can close this.",
        ),
        "overdue": Words(
            "Terminal not seen for long",
            "This terminal has handed in nothing and fetched no offers for long, or never did.",
            "Call the venue and ask for a sync. Is the terminal not needed any more? Take it out of the venue's list.",
        ),
        "missing": Words(
            "Payment not handed in",
            "A pass knows of a payment that we do not have. You see which terminal has to hand it in.",
            "Have this terminal sync. When the payment comes in, this is done. Is the terminal gone? Close this with"
            " two people.",
        ),
        "foreign": Words(
            "Reader that is not ours",
            "A pass knows of a payment at a terminal that has no keys from us.",
            "Call the key custodian at once: somebody may have stolen keys. Close this when it was looked into.",
        ),
        "differs": Words(
            "Record differs from the pass",
            "This record says something else than what the pass signed.",
            "Ask the venue what happened and have the terminal looked at. Close this when it was looked into.",
        ),
    },
}

# Why something is in quarantine: of a batch, and of an entry.
BATCH_REASONS: dict[str, dict[str, str]] = {
    "nl": {
        "format": "Dit is geen pakket van een terminal, of het is beschadigd.",
        "terminal": "Deze terminal staat niet in de lijst.",
        "mac": "Het pakket is onderweg veranderd, of niet door deze terminal gemaakt.",
        "chain": "Er is een regel uit het pakket weggelaten of verplaatst.",
        "record": "Een regel in het pakket is niet te lezen.",
        "two journals": "Het past niet bij wat er al van deze terminal is.",
    },
    "en": {
        "format": "This is no batch of a terminal, or it is damaged.",
        "terminal": "This terminal is not in the list.",
        "mac": "The batch was altered on its way, or this terminal did not make it.",
        "chain": "An entry was left out of the batch, or moved.",
        "record": "An entry of the batch cannot be read.",
        "two journals": "It does not fit what is held of this terminal.",
    },
}
ENTRY_REASONS: dict[str, dict[str, str]] = {
    "nl": {
        "seal": "Het verzegelde deel hoort niet bij deze regel.",
        "handle": "Dit is geen pas van ons.",
        "mac": "De pas heeft deze betaling niet getekend.",
        "record": "De regel is niet te lezen.",
        "year": "De kluis heeft geen sleutels van dat jaar.",
        "replay": "Deze betaling is al ingeleverd met een ander nummer.",
        "sequence": "Er is al een andere regel met dit nummer.",
        "offer": "Dit aanbod bestaat niet.",
        "offer venue": "Dit aanbod is van een andere locatie.",
        "offer day": "Dit aanbod telde niet op die dag.",
        "amount": "Potje, bedrag of prijs is niet wat het aanbod zegt.",
        "purse": "De regeling heeft dit potje niet.",
        "load": "Alleen een balie mag een pas opladen.",
        "desk": "Een balie laadt passen op en verkoopt niets.",
        "grant": "De regeling heeft deze toekenning niet, of niet zo.",
        "terminal": "Deze terminal staat niet in de lijst.",
    },
    "en": {
        "seal": "The sealed part does not belong to this record.",
        "handle": "This is no pass of ours.",
        "mac": "The pass did not sign this payment.",
        "record": "The record cannot be read.",
        "year": "The vault has no keys of that year.",
        "replay": "This payment was handed in under another number.",
        "sequence": "There is another entry with this number.",
        "offer": "There is no such offer.",
        "offer venue": "This offer is of another venue.",
        "offer day": "This offer did not count on that day.",
        "amount": "Purse, amount or price is not what the offer says.",
        "purse": "The scheme has no such purse.",
        "load": "Only a desk may load a pass.",
        "desk": "A desk loads passes and sells nothing.",
        "grant": "The scheme has no such grant, or not like this.",
        "terminal": "This terminal is not in the list.",
    },
}

# What the vault found of a doubt.
FOUND: dict[str, dict[str, str]] = {
    "nl": {
        "happened": "De kluis vond dat er wel betaald is: de volgende betaling van de pas noemt deze.",
        "did_not_happen": "De kluis vond dat er niet betaald is: de pas ging verder met een andere betaling.",
    },
    "en": {
        "happened": "The vault found that it was paid: the next payment of the pass names this one.",
        "did_not_happen": "The vault found that it was not paid: the pass went on with another payment.",
    },
}

# What people can do, and did.
ACTIONS: dict[str, dict[str, str]] = {
    "nl": {
        "retry": "Probeer opnieuw",
        "close": "Sluit",
        "book": "Boek",
        "confirm": "Bevestig",
        "decline": "Wijs af",
    },
    "en": {"retry": "Try again", "close": "Close", "book": "Book", "confirm": "Confirm", "decline": "Decline"},
}
EVENTS: dict[str, dict[str, str]] = {
    "nl": {
        "retried": "opnieuw geprobeerd",
        "proposed": "voorgesteld",
        "confirmed": "bevestigd",
        "declined": "afgewezen",
        "arrived": "later toch binnengekomen",
    },
    "en": {
        "retried": "tried again",
        "proposed": "proposed",
        "confirmed": "confirmed",
        "declined": "declined",
        "arrived": "came in after all",
    },
}
STATUSES: dict[str, dict[str, str]] = {
    "nl": {
        "open": "open",
        "proposed": "wacht op een tweede persoon",
        "closed": "gesloten",
        "resolved": "opgelost",
    },
    "en": {"open": "open", "proposed": "waits for a second person", "closed": "closed", "resolved": "resolved"},
}
CLOSE_REASONS: dict[str, dict[str, str]] = {
    "nl": {
        "device_lost": "De terminal is weg of gestolen",
        "flash_damaged": "Het geheugen van de terminal is kapot",
        "pass_lost": "De pas is verloren of vervangen",
        "never_ours": "Dit komt niet van ons",
        "test": "Dit was een proef",
        "settled_elsewhere": "Dit is op een andere manier geregeld",
        "other": "Iets anders (schrijf op wat)",
    },
    "en": {
        "device_lost": "The terminal is lost or stolen",
        "flash_damaged": "The memory of the terminal is broken",
        "pass_lost": "The pass is lost or replaced",
        "never_ours": "This does not come from us",
        "test": "This was a test",
        "settled_elsewhere": "This was settled in another way",
        "other": "Something else (write what)",
    },
}
