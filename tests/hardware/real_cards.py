"""What real cards were seen to answer, with where it is published: logs of exchanges, notes on hardware, and the tests
that libfreefare was run with against cards.

`LOGS` are whole frames, byte for byte. `SEEN` are conversations with a card from the factory, of which commands and
answers are published and keys and challenges are not: the reader's side of the cryptography is made anew. A step in
which the source says no more than that the card refuses has the status `REFUSED`. `NOT_IMITATED` is what the emulated
pass leaves out on purpose: what a card answers, what the pass answers, and why.

The facts are theirs; the words are ours.
"""

from typing import NamedTuple

from tests.hardware.independent_reader import cmac, le, short

LIBFREEFARE = "https://github.com/nfc-tools/libfreefare/tree/master/test: "
LIBFREEFARE_D40 = LIBFREEFARE + "test_mifare_desfire.c"
LIBFREEFARE_AES = LIBFREEFARE + "test_mifare_desfire_ev1_aes.c"
LIBFREEFARE_ISO = LIBFREEFARE + "test_mifare_desfire_ev1_iso.c"
# On an EV3 of hardware and software 33.00 and 03.00.
HARDWARE_NOTES = "https://github.com/ObsidianPay/libnxpsc/blob/main/docs/hardware-notes.md"
TALK = "https://github.com/MichaelsPlayground/TalkToYourDESFireCard: "
TALK_FILES = TALK + "desfire_ev3_file_operations.md"
DOOR_LOCK = "https://github.com/sotechcllc/RFDoorLock: Desfire EV1 Communication Examples.htm, also in "
DOOR_LOCK_TESTS = DOOR_LOCK + "https://github.com/skelsec/pydesfire: tests"

REFUSED = None

PICC, APPLICATION = "", "16AE00"


class Log(NamedTuple):
    """`frames`: (sent, answered). `key`: kind and value, of number 0 at PICC level or in an application of two keys.

    `session`: the key of an EV1 session that was open before the first frame, where the log begins in one.
    """

    what: str
    source: str
    card: str
    at: str
    key: tuple[str, str]
    frames: tuple[tuple[str, str], ...]
    session: str = ""


DES_0, TDEA3_0, AES_0 = ("2TDEA", "00" * 16), ("3TDEA", "00" * 24), ("AES", "00" * 16)

LOGS = (
    Log(
        "an EV2 from the factory is authenticated to, native",
        "https://community.nxp.com/t5/NFC/PN7642-mifare-desfire-example-not-work/td-p/1890756",
        "EV2",
        PICC,
        DES_0,
        (("0A00", "AF3526872E8D7696FA"), ("AFEAB21A6B49D011C02824A26F703148DB", "00F8068C86FC27578B")),
    ),
    Log(
        "an EV1 from the factory is authenticated to, native",
        "https://www.mifare.net/support/forum/reply/28755/",
        "EV1",
        PICC,
        DES_0,
        (("0A00", "AFA48300FB5E29FD78"), ("AF8CA64DE9C1B123A7EDBFCE53486B6D00", "008CA64DE9C1B123A7")),
    ),
    Log(
        "a selection ends the session: the key is not changed after it",
        "http://forums.nfc-tools.org/post/5638/",
        "EV1",
        PICC,
        DES_0,
        (
            ("0A00", "AF1CD9A50DABFC4373"),
            ("AF1974CA68525218832E0235363F9C8926", "000FA0E0E3376DA7A8"),
            ("5A000000", "00"),
            ("C4002EF1C825E01F3E292EF1C825E01F3E2921CB46A3A4DBCD5D", "AE"),
        ),
    ),
    Log(
        "an EV1 is authenticated to in APDUs, and holds an AES application of four keys: there is no key 6",
        "https://employmentamprecru1iting.blogspot.com/2013/07/nfc-desfire-ev1-aes-authentication-no.html",
        "EV1",
        PICC,
        DES_0,
        (
            ("900A0000010000", "AD517329DC6E33CF91AF"),
            ("90AF0000102E4A139CA9D42361252848CE2C732C7000", "FC252E4F00C386E89100"),
            ("90CA0000053322110B8400", "9100"),
            ("905A00000333221100", "9100"),
            ("90AA0000010600", "9140"),
        ),
    ),
    Log(
        "another EV1 is authenticated to in APDUs",
        "https://searchbetweenagasstation.blogspot.com/search/label/nfc",
        "EV1",
        PICC,
        DES_0,
        (
            ("900A0000010000", "AA55A05A86ED002391AF"),
            ("90AF000010CD72DFC6E6D040A4F011174EEBE03AA600", "AD6CC16025CCFB7B9100"),
        ),
    ),
    Log(
        "an AES key is authenticated to and changed: the answer is bare",
        DOOR_LOCK_TESTS,
        "EV1",
        APPLICATION,
        AES_0,
        (
            ("AA00", "AFB969FDFE56FD91FC9DE6F6F213B8FD1E"),
            (
                "AF36AAD7DF6E436BA08D18613830A70D5AD43E3D3F4A8D47541EEE623A934E4774",
                "00800DB680BC146BD121D6578F2D2E2059",
            ),
            ("C400E9F85E219496C2B58C1090DC3935FAE9E840CF61B383D9531946256B1F110C10", "00"),
        ),
    ),
    Log(
        "a three-key triple DES key is authenticated to and changed",
        DOOR_LOCK_TESTS,
        "EV1",
        APPLICATION,
        TDEA3_0,
        (
            ("1A00", "AFBC1C570BC948156187132364E4DCE176"),
            (
                "AFDDDC9A77597F03A40C7FAA362F45A8EADBE46A115D98198CBF36A6E51B39D87C",
                "007244D935ED9A1306CD8C841A7C1DE39A",
            ),
            ("C400F4F865F318CB9DE80B2B165145021F4F3AFEF1244FEA42FC997726FDE750741D", "00"),
        ),
    ),
    Log(
        "a two-key triple DES key is authenticated to",
        DOOR_LOCK_TESTS,
        "EV1",
        APPLICATION,
        ("2TDEA", "00102031405060708090A0B0B0A09080"),
        (("1A00", "AFB295579926155AE3"), ("AF70F349740C945DAE159BA9FEDBCC461A", "00B8FD7FE56B241FC4")),
    ),
    Log(
        "a single DES key becomes a two-key one",
        DOOR_LOCK_TESTS,
        "EV1",
        APPLICATION,
        DES_0,
        (("C400BEDE0FC6ED347DCF0D51C717DF75D97D2C5A2BA6CAC7479D", "00"),),
        session="C86CE25E4C647E56" * 2,
    ),
    Log(
        "the key that is changed is not that of the session: the answer has a MAC",
        DOOR_LOCK_TESTS,
        "EV1",
        APPLICATION,
        AES_0,
        (
            (
                "C401E7ECCB6BD1CA64BC161A12B1C024F714303374" + "08C8A87EACAB7A1FF18951FCA3",
                "002128D3CD9C9ACFFF",
            ),
        ),
        session="C2A1E47BD8100044FE6D00A74D7AB17C",
    ),
    Log(
        "the version of a key, in a session",
        DOOR_LOCK + "https://github.com/identiv/apduengine: ProtectedCommunicationTest.java",
        "EV1",
        APPLICATION,
        ("AES", "00102030405060708090A0B0B0A09080"),
        (("6400", "00108A8FA36F55CD210D"),),
        session="90F7A20191036845EC63DECD544B9931",
    ),
    Log(
        "the chip is formatted, in a session",
        "https://github.com/identiv/apduengine: ProtectedCommunicationTest.java",
        "EV1",
        PICC,
        AES_0,
        (("90FC000000", "DC438112CF631AE69100"),),
        session="C4C003424E37543FA91D218AF8F43070",
    ),
)
# That key has version 10; the others have 00.
VERSION = {"00102030405060708090A0B0B0A09080": 0x10}


class Say(NamedTuple):
    """A command, protected as `mode` says where a session is open, and the answer to it, opened."""

    ins: int
    parameters: bytes = b""
    data: bytes = b""
    mode: str = "mac"
    answer: bytes = b""
    status: int | None = 0x00


class Key(NamedTuple):
    """An authentication: D40 (0A), AES (AA) or EV2 (71). `status`: of its last answer."""

    messaging: str
    number: int
    value: bytes = bytes(16)
    status: int = 0x00


class NewKey(NamedTuple):
    """ChangeKey. `old` None: the key of the session itself, whose answer has no MAC."""

    number: int
    new: bytes
    version: int | None = None
    old: bytes | None = None
    status: int = 0x00


class Frame(NamedTuple):
    """One frame as it is, in hexadecimal."""

    sent: str
    answered: str


Step = Say | Key | NewKey | Frame


class Seen(NamedTuple):
    """`capacity` of the card, in bytes."""

    what: str
    source: str
    cards: tuple[str, ...]
    steps: tuple[Step, ...]
    capacity: int = 8192


ALL, EV1, EV3 = ("EV1", "EV2", "EV3"), ("EV1",), ("EV3",)


def at(number: int, offset: int, length: int) -> bytes:
    """File, offset and length; or file, first record and how many."""
    return bytes([number]) + le(offset, 3) + le(length, 3)


def select(aid: str) -> Say:
    return Say(0x5A, bytes.fromhex(aid))


def application(aid: str, settings: str, status: int | None = 0x00) -> tuple[Step, ...]:
    """Key settings 1 and 2, and what follows them; it is selected after that."""
    made = Say(0xCA, bytes.fromhex(aid + settings), status=status)
    return (select("000000"), made, select(aid)) if status == 0 else (select("000000"), made)


def wrote(number: int, offset: int, data: bytes, mode: str = "plain", status: int | None = 0x00) -> Say:
    return Say(0x3D, at(number, offset, len(data)), data, mode, status=status)


def read(number: int, offset: int, length: int, data: bytes, mode: str = "plain", status: int | None = 0x00) -> Say:
    return Say(0xBD, at(number, offset, length), b"", mode, data, status)


def recorded(number: int, offset: int, data: bytes, mode: str = "plain", status: int | None = 0x00) -> Say:
    return Say(0x3B, at(number, offset, len(data)), data, mode, status=status)


def records(number: int, first: int, count: int, data: bytes, mode: str = "plain", status: int | None = 0x00) -> Say:
    return Say(0xBB, at(number, first, count), b"", mode, data, status)


def moved(ins: int, number: int, amount: int, mode: str = "plain", status: int | None = 0x00) -> Say:
    return Say(ins, bytes([number]), le(amount, 4), mode, status=status)


def holds(number: int, value: int, mode: str = "plain") -> Say:
    return Say(0x6C, bytes([number]), b"", mode, le(value, 4))


CREDIT, DEBIT, LIMITED_CREDIT = 0x0C, 0xDC, 0x1C
COMMIT, ABORT = Say(0xC7), Say(0xA7)
FREE = "EEEE"

# Application A of libfreefare's tests: no keys, four free files.
STANDARD, BACKUP, VALUE, CYCLIC = 15, 5, 4, 0
A = (
    *application("AAAAAA", "FF00"),
    Say(0xCD, bytes.fromhex("0F00" + FREE + "640000")),
    Say(0xCB, bytes.fromhex("0500" + FREE + "400000")),
    Say(0xCC, bytes.fromhex("0400" + FREE) + le(0, 4) + le(1000, 4) + le(0, 4) + b"\x00"),
    Say(0xC0, bytes.fromhex("0000" + FREE) + le(4, 3) + le(10, 3)),
)
TEXT = b"Some data to write to the card\x00\x00\x00\x00Another block of data."


def fifteen_transactions() -> tuple[Step, ...]:
    """Nothing is seen before the commit and all of it after; a record is written in two pieces."""
    steps: list[Step] = []
    backup = bytearray(64)
    for number in range(15):
        digits = b"%02d" % number
        steps += [wrote(BACKUP, 3 * number, digits + b"\x00"), moved(CREDIT, VALUE, 100), moved(DEBIT, VALUE, 97)]
        steps += [recorded(CYCLIC, 2, digits), recorded(CYCLIC, 0, b"r.")]
        steps += [read(BACKUP, 0, 0, bytes(backup)), holds(VALUE, 3 * number)]
        if number:
            steps.append(records(CYCLIC, 0, 1, b"r.%02d" % (number - 1)))
        backup[3 * number : 3 * number + 2] = digits
        steps += [COMMIT, read(BACKUP, 3 * number, 3, digits + b"\x00"), holds(VALUE, 3 * number + 3)]
        steps.append(records(CYCLIC, 0, 1, b"r." + digits))
    return tuple(steps)


def transactions_b(messaging: str) -> tuple[Step, ...]:
    """Application B of the same tests: Read 1, Write 3, ReadWrite 2, Change 4."""
    keys = "80" if messaging == "AES" else "00"
    rights = bytes.fromhex("2413")
    return (
        *application("BBBBBB", "EF" + f"{int(keys, 16) | 6:02X}"),
        Say(0xCC, b"\x04\x00" + rights + le(-987654321, 4) + le(-1000, 4) + le(-1000000, 4) + b"\x01"),
        Say(0xC1, b"\x01\x00" + rights + le(25, 3) + le(4, 3)),
        Key(messaging, 2),
    )


def cleared_and_written(again: tuple[Step, ...]) -> tuple[Step, ...]:
    return (
        recorded(1, 0, b"one".ljust(25)),
        COMMIT,
        Say(0xEB, b"\x01"),
        recorded(1, 0, b"Test invalid write", status=0x9D),
        *again,
        Say(0xEB, b"\x01"),
        COMMIT,
        Say(0xF5, b"\x01", answer=bytes.fromhex("0300" + "2413" + "190000" + "040000" + "000000")),
    )


def written_with_one_key_and_ended_with_another(messaging: str) -> tuple[Step, ...]:
    """Application C: a cyclic file of Read 1, Write 2, ReadWrite free, Change 0."""
    record = b"\x04" + b"_" * 98 + b"\x04"
    return (
        *application("CCCCCC", "FF8E" if messaging == "AES" else "FF0E"),
        Say(0xC0, b"\x06\x00" + bytes.fromhex("E012") + le(100, 3) + le(22, 3)),
        Key(messaging, 2),
        recorded(6, 0, record),
        Key(messaging, 1),
        COMMIT,
        records(6, 0, 1, record),
        Key(messaging, 2),
        recorded(6, 0, record[::-1]),
        Key(messaging, 1),
        ABORT,
        records(6, 0, 1, record),
    )


def full_circle() -> tuple[Step, ...]:
    """Fifty records into a file of 22: the last 21 of them are there."""
    steps: list[Step] = [*application("CCCCCC", "FF00"), Say(0xC0, b"\x06\x00\xee\xee" + le(1, 3) + le(22, 3))]
    for number in range(50):
        steps += [recorded(6, 0, bytes([number])), COMMIT]
    steps += [records(6, back, 1, bytes([49 - back])) for back in range(21)]
    return (*steps, records(6, 21, 1, b"", status=REFUSED))


# The application of TalkToYourDESFireCard: Read 3, Write 4, ReadWrite 1, Change 2; each kind plain, MAC and full.
TALK_RIGHTS = bytes.fromhex("1234")
MODES = {0: "plain", 1: "filemac", 3: "full"}
TALK_PASS = (
    *application("A3A2A1", "0F85"),
    *(Say(0xCD, bytes([number, mode]) + TALK_RIGHTS + le(256, 3)) for number, mode in enumerate(MODES)),
    *(Say(0xCB, bytes([3 + number, mode]) + TALK_RIGHTS + le(32, 3)) for number, mode in enumerate(MODES)),
    *(
        Say(0xCC, bytes([6 + number, mode]) + TALK_RIGHTS + le(0, 4) + le(10000, 4) + le(0, 4) + b"\x00")
        for number, mode in enumerate(MODES)
    ),
    *(Say(0xC1, bytes([9 + number, mode]) + TALK_RIGHTS + le(32, 3) + le(3, 3)) for number, mode in enumerate(MODES)),
    *(Say(0xC0, bytes([12 + number, mode]) + TALK_RIGHTS + le(32, 3) + le(4, 3)) for number, mode in enumerate(MODES)),
)


def talked(file: int) -> str:
    """The mode of a file of that application, for the reader."""
    return list(MODES.values())[file % 3]


def three_and_a_fourth(file: int, last: tuple[Step, ...]) -> tuple[Step, ...]:
    """An empty file cannot be read; then three records, each in a transaction; and then a fourth."""
    mode = talked(file)
    steps: list[Step] = [*TALK_PASS, Key("EV2", 1), records(file, 0, 0, b"", mode, 0xBE), Key("EV2", 1)]
    for number in range(3):
        steps += [recorded(file, 0, bytes([number]) * 32, mode), COMMIT]
    return (*steps, records(file, 0, 0, b"".join(bytes([number]) * 32 for number in range(3)), mode), *last)


def refused_to_others(messaging: str, file: int) -> tuple[Step, ...]:
    """Neither the other right, nor the master key, nor the right to change lets one read or write."""
    steps: list[Step] = [*TALK_PASS]
    for number in (3, 0, 2):
        steps += [Key(messaging, number), wrote(file, 0, b"data", talked(file), 0xAE)]
    for number in (4, 0, 2):
        steps += [Key(messaging, number), read(file, 0, 32, b"", talked(file), 0xAE)]
    return tuple(steps)


ROOMY = bytes.fromhex("0100" + FREE)

# The application of the hardware notes: a transaction MAC file, a record file that anyone may write, and one that key 2
# may.
COUNTED = (
    *application("010000", "0F85"),
    Key("EV2", 0),
    Say(0xCE, bytes.fromhex("0F00" + "F01F" + "02"), bytes(17), "full"),
    Say(0xC0, bytes.fromhex("0100" + "202E") + le(16, 3) + le(4, 3)),
    Say(0xC0, bytes.fromhex("0201" + "2022") + le(16, 3) + le(4, 3)),
)

# The UID that the test gives the card.
UID = bytes.fromhex("04DE5F1EACC040")


def sealed(counter: int, record: bytes) -> bytes:
    """Counter and transaction MAC after one WriteRecord to file 1, under a key of zeros."""
    key = cmac(bytes(16), bytes.fromhex("5A00010080") + le(counter, 4) + UID)
    return le(counter, 4) + short(cmac(key, b"\x3b" + at(1, 0, len(record)) + bytes(8) + record))


SEEN = (
    # --- libfreefare --------------------------------------------------------------------------------------------------
    Seen("an application can have no keys", LIBFREEFARE_D40, ALL, A),
    Seen(
        "28 applications are listed",
        LIBFREEFARE_D40,
        ALL,
        (
            *(Say(0xCA, le(number, 3) + b"\xff\x00") for number in range(1, 29)),
            Say(0x6A, answer=b"".join(le(number, 3) for number in range(1, 29))),
        ),
    ),
    Seen(
        "a file that nobody may write any more",
        LIBFREEFARE_D40,
        ALL,
        (
            *A,
            wrote(STANDARD, 0, TEXT[:30]),
            wrote(STANDARD, 34, TEXT[34:]),
            Say(0x5F, bytes.fromhex("0F00FFEF"), mode="plain"),
            read(STANDARD, 10, 50, TEXT[10:] + bytes(4)),
            read(STANDARD, 0, 0, TEXT.ljust(100, b"\x00")),
            wrote(STANDARD, 20, b"Test!", status=0x9D),
        ),
    ),
    Seen(
        "fifteen transactions, and what the files are then",
        LIBFREEFARE_D40,
        ALL,
        (
            *A,
            *fifteen_transactions(),
            moved(LIMITED_CREDIT, VALUE, 20, status=REFUSED),
            Say(0xF5, b"\x00", answer=bytes.fromhex("0400" + FREE + "040000" + "0A0000" + "090000")),
            Say(0xF5, b"\x04", answer=b"\x02\x00\xee\xee" + le(0, 4) + le(1000, 4) + le(97, 4) + b"\x00"),
            Say(0xF5, b"\x05", answer=bytes.fromhex("0100" + FREE + "400000")),
            Say(0xF5, b"\x0f", answer=bytes.fromhex("0000" + FREE + "640000")),
            *(Say(0xDF, bytes([number])) for number in (0, 4, 5, 15)),
            Say(0x6F, answer=b""),
        ),
    ),
    *(
        Seen(
            f"what debits took can be given back, credits in between or not ({messaging})",
            source,
            ALL,
            (
                *transactions_b(messaging),
                moved(DEBIT, 4, 1300),
                moved(CREDIT, 4, 20),
                moved(DEBIT, 4, 1700),
                COMMIT,
                moved(LIMITED_CREDIT, 4, 3000),
                COMMIT,
                holds(4, -1000000 + 20),
                Say(
                    0xF5,
                    b"\x04",
                    answer=b"\x02\x00\x24\x13" + le(-987654321, 4) + le(-1000, 4) + le(0, 4) + b"\x01",
                ),
            ),
        )
        for messaging, source in (("D40", LIBFREEFARE_D40), ("AES", LIBFREEFARE_AES))
    ),
    Seen(
        "no record after a clearing in one transaction; an older session lives on, its transaction does not",
        LIBFREEFARE_D40,
        ALL,
        (*transactions_b("D40"), *cleared_and_written(())),
    ),
    Seen(
        "no record after a clearing in one transaction; an EV1 session and its transaction end",
        LIBFREEFARE_AES,
        ALL,
        (*transactions_b("AES"), *cleared_and_written((Key("AES", 2),))),
    ),
    *(
        Seen(
            f"a transaction goes on when another key is authenticated to ({messaging})",
            source,
            ALL,
            written_with_one_key_and_ended_with_another(messaging),
        )
        for messaging, source in (("D40", LIBFREEFARE_D40), ("AES", LIBFREEFARE_AES))
    ),
    Seen("a cyclic file of 22 keeps 21", LIBFREEFARE_D40, ALL, full_circle()),
    Seen(
        "the version of a DES key lies in its parity bits, which mean nothing else",
        LIBFREEFARE_D40,
        ALL,
        (
            *application("BBBBBB", "EF06"),
            Key("D40", 0),
            NewKey(0, b"App.B Master Key"),
            Key("D40", 0, b"@pp/C!L`ruds!Kdx"),
            Say(0x64, b"\x00", answer=b"\x83"),
        ),
    ),
    Seen(
        "key 5 changes the others once the settings say so",
        LIBFREEFARE_D40,
        ALL,
        (
            *application("BBBBBB", "EF06"),
            Key("D40", 1),
            NewKey(1, b"SglDES_1" * 2),
            Key("D40", 5),
            NewKey(5, b"B's Chg Keys Key"),
            Key("D40", 0),
            Say(0x54, data=b"\x5f", mode="full"),
            Say(0x45, answer=b"\x5f\x06"),
            Key("D40", 5, b"B's Chg Keys Key"),
            NewKey(1, b"App.B Key #1.   ", old=b"SglDES_1" * 2),
            NewKey(2, b"App.B Key #2..  ", old=bytes(16)),
            Key("D40", 2, b"App.B Key #2..  "),
        ),
    ),
    Seen(
        "a PICC that leaves nothing free",
        LIBFREEFARE_D40,
        ALL,
        (
            *application("CCCCCC", "C20E"),
            select("000000"),
            Key("D40", 0),
            Say(0x54, data=b"\x08", mode="full"),
            select("000000"),
            Say(0x6A, status=0xAE),
            Say(0xDA, bytes.fromhex("CCCCCC"), status=0xAE),
            Say(0xCA, bytes.fromhex("DDDDDDEF00"), status=0xAE),
            Key("D40", 0),
            Say(0x6A, answer=bytes.fromhex("CCCCCC")),
            Say(0xDA, bytes.fromhex("CCCCCC")),
            Say(0xCA, bytes.fromhex("DDDDDDEF00")),
            Say(0x54, data=b"\x0f", mode="full"),
        ),
    ),
    Seen(
        "an application deletes itself with its own master key",
        LIBFREEFARE_D40,
        ALL,
        (*application("BBBBBB", "EF06"), Key("D40", 0), Say(0xDA, bytes.fromhex("BBBBBB")), Say(0x6A)),
    ),
    Seen(
        "names of applications are told one a frame, and none is given twice",
        LIBFREEFARE_ISO,
        ALL,
        (
            Say(0x6D),
            Say(0xCA, bytes.fromhex("101111FF01" + "1F11")),
            Say(0xCA, bytes.fromhex("202222FF01" + "2F22") + b"App2\x00"),
            Say(0xCA, bytes.fromhex("303333FF01" + "3F33") + b"App3\x00"),
            Say(0xCA, bytes.fromhex("404444FF01" + "1F11"), status=0xDE),
            Say(0xCA, bytes.fromhex("404444FF01" + "4F44") + b"App2\x00", status=0xDE),
            Frame("906D000000", "1011111F1191AF"),
            Frame("90AF000000", "2022222F22" + b"App2\x00".hex() + "91AF"),
            Frame("90AF000000", "3033333F33" + b"App3\x00".hex() + "9100"),
        ),
    ),
    Seen(
        "the ISO identifiers of files",
        LIBFREEFARE_ISO,
        ALL,
        (
            *application("505555", "FF21" + "5F55"),
            Say(0xCD, bytes.fromhex("01341200" + FREE + "200000")),
            Say(0xCB, bytes.fromhex("02452300" + FREE + "200000")),
            Say(0xC1, bytes.fromhex("03563400" + FREE + "200000" + "0A0000")),
            Say(0xC0, bytes.fromhex("04674500" + FREE + "200000" + "0A0000")),
            Say(0x61, answer=bytes.fromhex("3412452356346745")),
        ),
    ),
    # --- an EV1 -------------------------------------------------------------------------------------------------------
    *(
        Seen(
            f"key 2 may change the others: whom a session of key {number} lets change what",
            "https://www.mifare.net/support/forum/users/janwu/replies/",
            EV1,
            tuple(
                step
                for changed, status in enumerate(statuses)
                for step in (
                    *application(f"{changed:02X}00AA", "2F83"),
                    Key("AES", number),
                    NewKey(changed, b"a new key 16 lon", 1, None if changed == number else bytes(16), status),
                )
            ),
        )
        for number, statuses in enumerate(((0x00, 0xAE, 0x00), (0xAE, 0xAE, 0xAE), (0xAE, 0x00, 0xAE)))
    ),
    # --- an EV2 -------------------------------------------------------------------------------------------------------
    Seen(
        "a chip whose master key is no DES key refuses the oldest authentication",
        "https://github.com/pokusew/nfc-pcsc/issues/131",
        ("EV2",),
        (
            Key("D40", 0),
            NewKey(0x80, bytes(16), 0),
            Frame("905A00000300000000", "9100"),
            Frame("900A0000010000", "91AE"),
        ),
    ),
    # --- an EV3: TalkToYourDESFireCard --------------------------------------------------------------------------------
    Seen(
        "in a session a commit without its MAC is a wrong length, also after a plain write",
        TALK + "so_write_backup_plain_commit_failure.md; https://stackoverflow.com/questions/76939288",
        EV3,
        (*TALK_PASS, Key("EV2", 1), wrote(3, 0, bytes(32)), Frame("90C7000000", "917E")),
    ),
    *(
        Seen(
            f"a purse goes up, down and not below its limit; after that one authenticates anew ({talked(file)})",
            TALK_FILES,
            EV3,
            (
                *TALK_PASS,
                Key("EV2", 1),
                holds(file, 0, talked(file)),
                moved(CREDIT, file, 123, talked(file)),
                COMMIT,
                holds(file, 123, talked(file)),
                moved(DEBIT, file, 111, talked(file)),
                COMMIT,
                holds(file, 12, talked(file)),
                moved(DEBIT, file, 111, talked(file), 0xBE),
                Say(0x6C, bytes([file]), status=0xAE),
                Key("EV2", 1),
                holds(file, 12, talked(file)),
            ),
        )
        for file in (6, 7, 8)
    ),
    *(
        Seen(
            f"a linear file of three takes three records ({talked(file)})",
            TALK_FILES,
            EV3,
            three_and_a_fourth(file, (recorded(file, 0, bytes(32), talked(file), 0xBE),)),
        )
        for file in (9, 10, 11)
    ),
    *(
        Seen(
            f"a cyclic file of four keeps the last three ({talked(file)})",
            TALK_FILES,
            EV3,
            three_and_a_fourth(
                file,
                (
                    recorded(file, 0, b"\x03" * 32, talked(file)),
                    COMMIT,
                    records(file, 0, 0, b"\x01" * 32 + b"\x02" * 32 + b"\x03" * 32, talked(file)),
                ),
            ),
        )
        for file in (12, 13, 14)
    ),
    # The hardware notes say of this, in passing, 9D; logs and data sheet (NT4H2421Gx, table 80) agree on AE.
    Seen("a key without the right gets AE, in EV1 messaging", TALK_FILES, EV3, refused_to_others("AES", 0)),
    *(
        Seen(f"a key without the right gets AE ({talked(file)})", TALK_FILES, EV3, refused_to_others("EV2", file))
        for file in (1, 2)
    ),
    Seen(
        "a wrong key gets AE",
        TALK_FILES,
        EV3,
        (*TALK_PASS, Key("EV2", 3, b"another key 16 b", 0xAE), Key("AES", 3, b"another key 16 b", 0xAE)),
    ),
    Seen(
        "another command before the end of an answer of many frames aborts it",
        TALK + "logs of the app",
        EV3,
        (Frame("9060000000", "04010133001A0591AF"), Frame("906E000000", "91CA")),
    ),
    Seen(
        "where the reader must be named, nothing is committed without it",
        TALK + "desfire_ev3_transaction_mac_file_operations.md",
        EV3,
        (
            *TALK_PASS,
            Key("EV2", 0),
            Say(0xCE, bytes.fromhex("0F00" + "101F" + "02"), bytes(17), "full"),
            Key("EV2", 1),
            moved(CREDIT, 8, 123, "full"),
            COMMIT._replace(status=0x9D),
        ),
    ),
    Seen(
        "what a deleted file took does not come back before the chip is formatted",
        TALK_FILES,
        EV3,
        (
            *application("020000", "0F81"),
            *(step for _ in range(3) for step in (Say(0xCD, ROOMY + le(500, 3)), Say(0xDF, ROOMY[:1]))),
            Say(0xCD, ROOMY + le(1000, 3), status=0x0E),
            select("000000"),
            Key("D40", 0),
            Say(0xFC),
            *application("020000", "0F81"),
            Say(0xCD, ROOMY + le(1000, 3)),
        ),
        2048,
    ),
    # --- an EV3: the hardware notes -----------------------------------------------------------------------------------
    Seen(
        "an error ends the session: what the card takes for a plain command has bytes too many",
        HARDWARE_NOTES,
        EV3,
        (*COUNTED, Key("EV2", 0), Say(0xF5, b"\x09", status=0xF0), Say(0x6F, bytes(8), status=0x7E)),
    ),
    Seen(
        "a MAC over a counter that is past is an integrity error",
        HARDWARE_NOTES,
        EV3,
        (*COUNTED, Key("EV2", 0), Frame("906F00000800000000000000" + "0000", "911E")),
    ),
    Seen(
        "the real UID is not told without a MAC on the question, and the session is over",
        HARDWARE_NOTES,
        EV3,
        (*COUNTED, Key("EV2", 2), Frame("9051000000", "917E"), Frame("9051000000", "91AE")),
    ),
    Seen("an application that is not there", HARDWARE_NOTES, EV3, (Frame("905A00000302000000", "91A0"),)),
    Seen(
        "an authentication of the wrong length",
        HARDWARE_NOTES,
        EV3,
        (*COUNTED, Say(0xAA, b"", status=0x7E), Say(0x71, b"\x00", status=0x7E)),
    ),
    Seen(
        "an application with ISO identifiers wants one for each of its files",
        HARDWARE_NOTES,
        EV3,
        (
            *application("020000", "0FA1" + "02DF"),
            Say(0xCD, bytes.fromhex("0100" + FREE + "200000"), status=0x7E),
            Say(0xCD, bytes.fromhex("0101E100" + FREE + "200000")),
        ),
    ),
    Seen(
        "mirroring is not switched on when a file is made",
        HARDWARE_NOTES,
        EV3,
        (
            *application("020000", "0F81"),
            Say(0xCD, bytes.fromhex("0140" + FREE + "000100" + "C1F121200000430000430000"), status=0x7E),
        ),
    ),
    Seen(
        "settings that were frozen stay",
        HARDWARE_NOTES,
        EV3,
        (
            *application("020000", "0F81"),
            Key("EV2", 0),
            Say(0x54, data=b"\x07", mode="full"),
            Say(0x54, data=b"\x0f", mode="full", status=0x9D),
        ),
    ),
    Seen(
        "settings and master key of the chip go there and back",
        HARDWARE_NOTES,
        EV3,
        (
            Key("D40", 0),
            Say(0x54, data=b"\x0b", mode="full"),
            Say(0x45, answer=b"\x0b\x01"),
            Say(0x54, data=b"\x0f", mode="full"),
            Say(0x45, answer=b"\x0f\x01"),
            NewKey(0x00, b"\x00\x10\x20\x30\x40\x50\x60\x70" + bytes(range(0x80, 0x90, 2))),
            Key("D40", 0, b"\x00\x10\x20\x30\x40\x50\x60\x70" + bytes(range(0x80, 0x90, 2))),
            NewKey(0x00, bytes(16)),
            Key("D40", 0),
        ),
    ),
    Seen(
        "a key that another key must change gets AE",
        HARDWARE_NOTES,
        EV3,
        (*COUNTED, Key("EV2", 1), NewKey(2, b"a new key 16 lon", 1, bytes(16), 0xAE)),
    ),
    Seen(
        "the key of the session is changed with a bare answer, and the session is over",
        HARDWARE_NOTES,
        EV3,
        (
            *application("020000", "0F81"),
            Key("EV2", 0),
            NewKey(0, b"a new key 16 lon", 1),
            Say(0x51, status=0xAE),
            Key("EV2", 0, b"a new key 16 lon"),
        ),
    ),
    Seen(
        "two writes are one record, a record is a commit; 0 is the newest, many come oldest first",
        HARDWARE_NOTES,
        EV3,
        (
            *application("020000", "0F81"),
            Say(0xC0, bytes.fromhex("0100" + FREE) + le(4, 3) + le(4, 3)),
            recorded(1, 0, b"ab"),
            recorded(1, 2, b"cd"),
            COMMIT,
            records(1, 0, 0, b"abcd"),
            recorded(1, 0, b"next"),
            COMMIT,
            records(1, 0, 1, b"next"),
            records(1, 0, 2, b"abcdnext"),
        ),
    ),
    Seen(
        "where the rights say so no reader can be named",
        HARDWARE_NOTES,
        EV3,
        (*COUNTED, Key("EV2", 0), Say(0xC8, bytes(16), status=0x9D)),
    ),
    Seen(
        "NotifyTransactionSuccess is not known",
        HARDWARE_NOTES,
        EV3,
        (*COUNTED, Say(0xEE, status=0x1C)),
    ),
    Seen(
        "a keyed record without a session gets AE",
        HARDWARE_NOTES,
        EV3,
        (*COUNTED, select("010000"), recorded(2, 0, b"x" * 16, status=0xAE)),
    ),
    Seen(
        "a transaction without a session is counted and sealed",
        HARDWARE_NOTES,
        EV3,
        (
            *COUNTED,
            select("010000"),
            recorded(1, 0, b"first".ljust(16)),
            Say(0xC7, b"\x01", answer=sealed(1, b"first".ljust(16))),
            recorded(1, 0, b"second".ljust(16)),
            Say(0xC7, b"\x01", answer=sealed(2, b"second".ljust(16))),
        ),
    ),
    # --- what chips say of themselves ---------------------------------------------------------------------------------
    Seen(
        "the version of an EV1 of 2 KB",
        "Quio QM-ABCM7 manual, DESFire Get Version: "
        "http://38.142.81.21:8001/manual/quio/qm-abcm7-v2-1-0/instructions-english/page-62.html",
        EV1,
        (Frame("60", "AF04010101001605"), Frame("AF", "AF04010101041605")),
        2048,
    ),
    Seen(
        "the version of an EV2 of 4 KB",
        "https://github.com/RfidResearchGroup/proxmark3/issues/589",
        ("EV2",),
        (Frame("60", "AF04010112001805"), Frame("AF", "AF04010102011805")),
        4096,
    ),
    Seen(
        "the version of an EV3 of 2 KB",
        "https://github.com/flipperdevices/flipperzero-firmware/pull/4439",
        EV3,
        (Frame("60", "AF04010133001605"),),
        2048,
    ),
)

# ATQA, SAK and ATS of an EV3 (https://github.com/flipperdevices/flipperzero-firmware/pull/4439); EV1 and EV2 alike.
ACTIVATION = bytes.fromhex("0344"), 0x20, bytes.fromhex("067577810280")


class NotImitated(NamedTuple):
    """After `steps` a card answers `sent` with `card`, the emulated pass with `ours`: whole frames, hexadecimal."""

    what: str
    source: str
    generation: str
    steps: tuple[Step, ...]
    sent: str
    card: str
    ours: str
    why: str


NOT_IMITATED = (
    NotImitated(
        "asked for the names of its applications in a session, an EV1 destroys itself",
        HARDWARE_NOTES,
        "EV1",
        (
            Say(0xCA, bytes.fromhex("101111FF01" + "1F11")),
            Say(0xCA, bytes.fromhex("202222FF01" + "2F22")),
            Key("D40", 0),
            Frame("906D000000", "1011111F1191AF"),
        ),
        "90AF000000",
        "91C1",
        "2022222F229100",
        "nothing here asks for names, and a pass in a file is better not lost",
    ),
    NotImitated(
        "an application with two sets of keys",
        HARDWARE_NOTES,
        "EV3",
        (),
        "90CA00000A0200000F910100021000" + "00",
        "9100",
        "919E",
        "a scheme's keys get versions, not sets",
    ),
    NotImitated(
        "an application with keys of its own for the virtual card",
        HARDWARE_NOTES,
        "EV3",
        (),
        "90CA0000060200000F9102" + "00",
        "919D",
        "919E",
        "nor has it that virtual card; it takes no third key settings at all",
    ),
    NotImitated(
        "the active set of keys rolled by a command too long",
        HARDWARE_NOTES,
        "EV3",
        application("020000", "0F81"),
        "905500000200" + "0000",
        "917E",
        "911C",
        "it has no sets of keys",
    ),
    NotImitated(
        "a proximity check at PICC level",
        HARDWARE_NOTES,
        "EV3",
        (),
        "90F0000000",
        "910B",
        "911C",
        "relays are not defended against by timing here",
    ),
)
