"""What a ceremony says: Dutch at level B1, and English.

`STEPS` goes into the record. `WRONG` is what can be wrong with a share; nothing of it helps to guess a secret.
"""

SENTENCES = {
    "welcome": {
        "nl": """
Sleutelceremonie: de sleutels van de stadspas van {city}
--------------------------------------------------------
We maken samen één geheim. Dat knippen we in delen. Iedereen krijgt één deel, op papier.
Niemand heeft dus het hele geheim. Ook deze computer vergeet het als we klaar zijn.

Nodig: alle sleutelbewaarders, een printer aan deze computer, voor ieder een envelop.
Niet nodig: telefoons en camera's. Leg ze buiten de kamer.
Typ stop en druk op Enter om te stoppen. Dan blijft er niets achter, zolang de sleutels niet gemaakt zijn.
""",
        "en": """
Key ceremony: the keys of the city pass of {city}
-------------------------------------------------
Together we make one secret. It is cut into shares. Everybody gets one share, on paper.
So nobody has the whole secret. This computer forgets it too when we are done.

Needed: all custodians, a printer on this computer, an envelope for each.
Not needed: phones and cameras. Leave them outside the room.
Type stop and press Enter to stop. Then nothing is left behind, as long as the keys are not made.
""",
    },
    "rehearsal": {
        "nl": "DIT IS EEN OEFENING. Deze sleutels zijn om weg te gooien.\n",
        "en": "THIS IS A REHEARSAL. These keys are to be thrown away.\n",
    },
    "names": {
        "nl": "Wie zijn de sleutelbewaarders? {fewest} tot {most} mensen. Na de laatste: alleen Enter.",
        "en": "Who are the custodians? {fewest} to {most} people. After the last one: Enter only.",
    },
    "name": {"nl": "Naam {number}:", "en": "Name {number}:"},
    "same_name": {
        "nl": "{name} staat er al. Typ de naam van iemand anders.",
        "en": "{name} is there already. Type the name of somebody else.",
    },
    "few_names": {
        "nl": "Dit zijn {count} namen. We hebben er minstens {fewest} nodig.",
        "en": "These are {count} names. We need at least {fewest}.",
    },
    "bad_threshold": {
        "nl": "Dat kan niet. Typ een cijfer van {fewest} tot en met {count}.",
        "en": "That cannot be. Type a figure from {fewest} up to and with {count}.",
    },
    "nothing_typed": {
        "nl": "Er is niets getypt. Druk op een paar willekeurige toetsen.",
        "en": "Nothing was typed. Press some keys at random.",
    },
    "threshold": {
        "nl": "Hoeveel delen zijn later samen genoeg? Kies {fewest} tot {count}:",
        "en": "How many shares are enough together later? Choose {fewest} to {count}:",
    },
    "mix": {
        "nl": "{name}, typ zomaar wat letters en cijfers. Het geheim wordt daar ook van gemaakt. Druk dan op Enter:",
        "en": "{name}, type some letters and digits at random. The secret is made of that too. Then press Enter:",
    },
    "print": {
        "nl": """
Nu is {name} aan de beurt. De anderen kijken niet naar het scherm of de printer.
Print dit blad: {path}
Kijk of alle 33 woorden goed te lezen zijn.""",
        "en": """
Now it is the turn of {name}. The others do not look at the screen or the printer.
Print this sheet: {path}
See that all 33 words can be read well.""",
    },
    "printed": {
        "nl": "{name}, heeft u het blad in de hand? Druk op Enter.",
        "en": "{name}, do you have the sheet in your hand? Press Enter.",
    },
    "read_back": {
        "nl": """
{name}, typ nu de 33 woorden van uw blad over. Zo weten we zeker dat het blad klopt.
De eerste vier letters van elk woord zijn genoeg. U mag op meer regels typen; een lege regel is het eind.""",
        "en": """
{name}, now type the 33 words from your sheet. Then we know for sure that the sheet is right.
The first four letters of each word are enough. You may use several lines; an empty line is the end.""",
    },
    "type_share": {
        "nl": """
De volgende sleutelbewaarder typt de 33 woorden van het blad. Nog nodig: {missing}.
De anderen kijken weg. De eerste vier letters van elk woord zijn genoeg; een lege regel is het eind.""",
        "en": """
The next custodian types the 33 words of the sheet. Still needed: {missing}.
The others look away. The first four letters of each word are enough; an empty line is the end.""",
    },
    "words": {"nl": "Woorden:", "en": "Words:"},
    "more_words": {"nl": "   verder:", "en": "    more:"},
    "other_share": {
        "nl": "Dit is deel {number}. We hebben nu deel {wanted} nodig: het blad van {name}.",
        "en": "This is share {number}. Now we need share {wanted}: the sheet of {name}.",
    },
    "share_good": {
        "nl": "Deel {number} is goed.",
        "en": "Share {number} is right.",
    },
    "share_wrong": {
        "nl": "Dat ging niet goed. {why}",
        "en": "That was not right. {why}",
    },
    "type_again": {
        "nl": "Typ het hele blad nog eens. Een lege regel is het eind.",
        "en": "Type the whole sheet again. An empty line is the end.",
    },
    "combinations": {
        "nl": "\nElke {needed} bladen geven samen hetzelfde geheim. Dat is {count} keer geprobeerd: het klopt.",
        "en": "\nAny {needed} sheets together give the same secret. That was tried {count} times. The sheets are good.",
    },
    "checks": {
        "nl": """
De sleutels zijn gemaakt. Dit zijn de controlewaarden: zo herkent u een sleutel later, zonder hem te zien.
Ze zijn niet geheim. Ze komen ook in het verslag.""",
        "en": """
The keys are made. These are the check values: by them you know a key later, without seeing it.
They are not secret. They are in the record too.""",
    },
    "written_down": {
        "nl": "Heeft u ze gezien? Druk op Enter.",
        "en": "Have you seen them? Press Enter.",
    },
    "goodbye": {
        "nl": """
Klaar. Wat neemt u mee?
- Ieder zijn eigen blad, in een dichte envelop, naar een eigen kluis.
- Ieder een afdruk van het verslag (transcript.pdf), met alle handtekeningen.
- Ieder een kopie van vault.json en de map years, op een eigen USB-stick.
{needed} van de {count} bladen zijn samen genoeg. Het nummer van de set is {set}.
Probeer over een half jaar of de bladen nog goed zijn: meedoen keys verify-shares
""",
        "en": """
Done. What do you take home?
- Each your own sheet, in a sealed envelope, to a safe of your own.
- Each a print of the record (transcript.pdf), with all signatures.
- Each a copy of vault.json and the folder years, on a USB stick of your own.
{needed} of the {count} sheets are enough together. The number of the set is {set}.
See in half a year whether the sheets are still good: meedoen keys verify-shares
""",
    },
    "goodbye_rehearsal": {
        "nl": """
Klaar met oefenen. {needed} van de {count} bladen zijn samen genoeg. Het nummer van de set is {set}.
Oefen nu verder met de bladen, bijvoorbeeld: meedoen keys verify-shares --rehearsal
Daarna gaat het papier in de versnipperaar, en gooit u de map van de oefening weg.
""",
        "en": """
Done with the rehearsal. {needed} of the {count} sheets are enough together. The number of the set is {set}.
Go on practising with the sheets, as: meedoen keys verify-shares --rehearsal
Then the paper goes into the shredder, and you throw the folder of the rehearsal away.
""",
    },
    "files": {
        "nl": "In {folder}: transcript.pdf om te printen en te ondertekenen, issuer.json voor de balie, backend.json "
        "voor de financiële administratie.",
        "en": "In {folder}: transcript.pdf to print and sign, issuer.json for the desk, backend.json for clearing.",
    },
}

STEPS = {
    "began": {"nl": "Begonnen. Aanwezig: {names}.", "en": "Began. Present: {names}."},
    "root": {
        "nl": "Het geheim is gemaakt, van toeval van de computer en van wat iedereen typte.",
        "en": "The secret was made, of the computer's randomness and of what everybody typed.",
    },
    "share": {
        "nl": "Deel {number} is geprint, teruggetypt en goed. Het is van {name}.",
        "en": "Share {number} was printed, typed back and right. It is with {name}.",
    },
    "combinations": {
        "nl": "Elke {needed} delen geven samen hetzelfde geheim; {count} keer geprobeerd.",
        "en": "Any {needed} shares together give the same secret; tried {count} times.",
    },
    "keys": {"nl": "{count} sleutels zijn gemaakt en bewaard.", "en": "{count} keys were made and stored."},
    "ended": {
        "nl": "Klaar. Het geheim is weg; alleen de delen zijn er nog.",
        "en": "Done. The secret is gone; only the shares are left.",
    },
    "stopped": {
        "nl": "De ceremonie is gestopt. Er is niets bewaard.",
        "en": "The ceremony was stopped. Nothing of it was kept.",
    },
}

WRONG = {
    "length": {
        "nl": "Dit zijn {count} woorden. Een deel heeft er {wanted}.",
        "en": "These are {count} words. A share has {wanted}.",
    },
    "word": {
        "nl": "Woord {number} staat niet in de woordenlijst. Vergelijk het met het blad.",
        "en": "Word {number} is not in the list of words. Compare it with the sheet.",
    },
    "checksum": {
        "nl": "Alle woorden bestaan, maar één woord is verkeerd, of twee woorden zijn omgewisseld. Vergelijk alles "
        "met het blad.",
        "en": "All words exist, but one is not the right one or two changed places. Compare all of it with the sheet.",
    },
    "set": {
        "nl": "Dit deel is van set {found}, en deze sleutels zijn van set {wanted}. Het is van een andere gemeente, "
        "van een eerdere ceremonie of van een oefening.",
        "en": "This share is of set {found}, and these keys are of set {wanted}. It belongs to another municipality, "
        "an earlier ceremony or a rehearsal.",
    },
    "mixed_sets": {
        "nl": "Dit deel is van set {found}, en de delen hiervoor zijn van set {wanted}.",
        "en": "This share is of set {found}, and the ones before it are of set {wanted}.",
    },
    "apart": {
        "nl": "Dit deel past niet bij de delen hiervoor. Ze zijn niet samen gemaakt.",
        "en": "This share does not fit the ones before it. They were not made together.",
    },
    "twice": {
        "nl": "Deel {number} is al getypt. Nu moet iemand anders een blad typen.",
        "en": "Share {number} was typed already. Now somebody else has to type a sheet.",
    },
    "too_few": {
        "nl": "Er zijn te weinig delen. Nog nodig: {missing}.",
        "en": "There are too few shares. Still needed: {missing}.",
    },
    "different": {
        "nl": "Twee groepjes delen geven een ander geheim. Gebruik deze bladen niet.",
        "en": "Two groups of shares make different secrets. Do not use these sheets.",
    },
    "file": {
        "nl": "{file} is niet te lezen. Er moeten de 33 woorden van een deel in staan.",
        "en": "{file} cannot be read. It should hold the 33 words of a share.",
    },
    "stopped": {"nl": "Gestopt. Er is niets veranderd.", "en": "Stopped. Nothing has changed."},
}

SECRETS = {
    "passphrase": {"nl": "Wachtwoordzin van de kluis", "en": "Passphrase of the vault"},
    "passphrase_of": {
        "nl": "Wachtwoordzin van persoon {number} van {people}",
        "en": "Passphrase of person {number} of {people}",
    },
    "pin": {"nl": "Pincode van het token {token}", "en": "PIN of the token {token}"},
    "officer": {"nl": "Wachtwoordzin van {name}", "en": "Passphrase of {name}"},
    "new": {
        "nl": "Kies een nieuwe, van minstens {fewest} tekens. {what}",
        "en": "Choose a new one, of at least {fewest} characters. {what}",
    },
    "again": {"nl": "Nog een keer", "en": "Once more"},
    "not_the_same": {
        "nl": "De twee keren waren niet gelijk. Opnieuw.",
        "en": "The two were not the same. Again.",
    },
    "too_short": {"nl": "Dat is te kort. Opnieuw.", "en": "That is too short. Again."},
    "of_another": {
        "nl": "Die is al van iemand anders hier. Kies een andere.",
        "en": "That is somebody else's here already. Choose another one.",
    },
}
