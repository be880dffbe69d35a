"""What the page of the simulator says, in Dutch and English."""

from terminal.firmware import signals
from terminal.firmware.screen import word_of

STATES = {
    "choosing_pin": ("Kies een PIN", "Choose a PIN"),
    "repeating_pin": ("De PIN nog een keer", "The PIN again"),
    "setting": ("Een moment", "One moment"),
    "opening": ("Typ de PIN", "Type the PIN"),
    "checking": ("Een moment", "One moment"),
    "counting": ("Een moment", "One moment"),
    "closing": ("Een moment", "One moment"),
    "waiting": ("Even wachten", "Waiting"),
    "menu": ("Menu", "Menu"),
    "totals": ("Dagtotaal", "Day total"),
    "choosing": ("Kies een aanbod", "Choose an offer"),
    "pricing": ("Typ de prijs", "Type the price"),
    "armed": ("Wacht op een pas", "Waits for a pass"),
    "reversing": ("Terugboeken", "Put back"),
    "showing": ("Uitslag", "Result"),
}
OFF = ("Uit: de stekker zit er niet in", "Off: the plug is out")
LIGHTS = {
    signals.QUIET: ("uit", "off"),
    signals.YES: ("groen", "green"),
    signals.PUT_BACK: ("blauw", "blue"),
    signals.AGAIN: ("oranje", "orange"),
    signals.NO: ("rood", "red"),
    signals.TROUBLE: ("paars", "purple"),
    signals.STAFF: ("zwak wit", "dim white"),
}
SOUNDS = {
    signals.QUIET: ("stil", "silent"),
    signals.YES: ("twee korte tonen, omhoog", "two short tones, going up"),
    signals.PUT_BACK: ("een lange en een korte toon, omlaag", "a long and a short tone, going down"),
    signals.AGAIN: ("drie gelijke korte tonen", "three equal short tones"),
    signals.NO: ("één lange lage toon", "one long low tone"),
    signals.TROUBLE: ("drie lange tonen, laag in het midden", "three long tones, low in the middle"),
    signals.STAFF: ("één tik", "one tick"),
}
KEYS = {
    "#": ("ja", "yes"),
    "*": ("terug", "back"),
    "A": ("boek terug", "put back"),
    "B": ("nog eens", "once more"),
    "D": ("menu", "menu"),
}
PAGE = {
    "title": ("Oefenen met de terminal", "Practise with the terminal"),
    "about": (
        "Dit is het echte programma van de terminal, met een lezer en passen die niet echt zijn. "
        "Er kan niets stuk, en niemand betaalt.",
        "This is the real program of the terminal, with a reader and passes that are not real. "
        "Nothing can break, and nobody pays.",
    ),
    "skip": ("Naar de terminal", "To the terminal"),
    "terminal": ("De terminal", "The terminal"),
    "display": ("Scherm", "Display"),
    "says": ("Op het scherm staat", "The display says"),
    "light": ("Licht", "Light"),
    "sound": ("Geluid", "Sound"),
    "keys": ("Toetsen", "Keys"),
    "typing": (
        "Typ ook op het toetsenbord van de computer (cijfers, Enter is #, Backspace is *)",
        "Type on the computer's keyboard as well (digits, Enter is #, Backspace is *)",
    ),
    "hear": ("Laat het geluid horen", "Play the sound"),
    "reader": ("Lezer", "Reader"),
    "empty_reader": ("Sleep een pas hierheen, of gebruik de knop bij de pas.", "Drag a pass here, or use its button."),
    "passes": ("Passen", "Passes"),
    "place": ("Leg op de lezer", "Put on the reader"),
    "take": ("Haal van de lezer", "Take off the reader"),
    "wrong": ("Wat gaat er mis?", "What goes wrong?"),
    "middle": ("Midden in de volgende betaling", "In the middle of the next payment"),
    "nothing": ("gaat alles goed", "all goes well"),
    "tear": ("trekt de gast de pas te vroeg weg", "the guest pulls the pass away too early"),
    "plug": ("valt de stroom uit", "the power fails"),
    "pull": ("Trek de stekker eruit", "Pull the plug"),
    "plug_in": ("Doe de stekker erin", "Put the plug in"),
    "language": ("English", "Nederlands"),
    "try": ("Probeer dit eens", "Try this"),
    "script": ("Deze pagina werkt alleen met JavaScript.", "This page works with JavaScript only."),
    "gone": (
        "Het programma is gestopt. Start het opnieuw en open het nieuwe adres.",
        "The program has stopped. Start it again and open the new address.",
    ),
}
EXERCISES = (
    (
        "De PIN van deze terminal is 2580. Typ hem als het scherm erom vraagt, en druk #.",
        "The PIN of this terminal is 2580. Type it when the display asks for it, and press #.",
    ),
    (
        "Druk 1 en #. Leg de pas met tegoed op de lezer. Haal hem eraf en druk *.",
        "Press 1 and #. Put the pass with budget on the reader. Take it off and press *.",
    ),
    (
        "Druk 2 en #. Typ 850 voor € 8,50 en druk #. Leg de pas met tegoed op de lezer.",
        "Press 2 and #. Type 850 for € 8,50 and press #. Put the pass with budget on the reader.",
    ),
    (
        "Kies „trekt de gast de pas te vroeg weg” en laat betalen. Leg dezelfde pas nog een keer op de lezer: "
        "er is één keer betaald.",
        "Choose “the guest pulls the pass away too early” and let the guest pay. Put the same pass on the reader "
        "again: it was paid once.",
    ),
    (
        "Vergist? Druk A en leg dezelfde pas op de lezer: het bedrag staat er weer op.",
        "A mistake? Press A and put the same pass on the reader: the amount is on it again.",
    ),
    (
        "Leg de andere passen erop en lees wat de terminal zegt.",
        "Try the other passes and read what the terminal says.",
    ),
)


def rhythm(tones: tuple[tuple[int, int], ...]) -> str:
    """Short and long tones, as one reads them."""
    return " ".join("—" if ms > 200 else "•" for pitch, ms in tones if pitch)


def result(code: str, language: int) -> str:
    """The word of a result with its code; empty without one."""
    return f"{word_of(signals.kind(code), language)} ({code})" if code else ""


def state(name: str, language: int) -> str:
    """What a terminal is doing."""
    return STATES[name][language] if name in STATES else name


def signal_table() -> list[str]:
    """How each kind of result looks, sounds and is lit, in lines of Markdown for docs/terminal.md."""
    lines = ["| code | in large letters | sound | tones (Hz, ms) | light |", "|---|---|---|---|---|"]
    for code in ("00", "01", "10", "20", "30", "40"):
        kind, (tones, _) = signals.kind(code), signals.of(code)
        melody = ", ".join(f"{pitch} {ms}" for pitch, ms in tones if pitch)
        letters = f"{word_of(kind, 0)} / {word_of(kind, 1)}"
        name = code if code == "01" else f"{code[0]}x"
        lines.append(f"| {name} | {letters} | {rhythm(tones)} {SOUNDS[kind][1]} | {melody} | {LIGHTS[kind][1]} |")
    return lines
