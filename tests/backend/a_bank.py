"""A bank that is not ours: mock-bank on its own clock, with its failures on demand; and messages of other banks."""

import threading
from contextlib import contextmanager

import httpx
from mockbank.server import Config, make_server

OURS = "NL44RABO0123456789"


class MockBank:
    """The bank of the municipality. It answers a payment file with what a real one sends, as its days go by."""

    def __init__(self, http, iban):
        self._http = http
        self._waiting = []
        self._account = self._create(iban, "Gemeente Gelredam", "MUNICIPALITY", 10_000_000)

    def _create(self, iban, name, account, balance=0, **rest):
        body = {"id": account, "iban": iban, "name": name, "balance": balance, "currency": "EUR", **rest}
        answer = self._http.post("/_mock/accounts", json=body)
        assert answer.status_code < 300, answer.text
        return account

    def holds(self, iban, name, behaviour):
        """An account at this same bank, which behaves like this when somebody pays it."""
        self._create(iban, "A venue", name, behaviour=behaviour)

    def behaves(self, behaviour, **rest):
        answer = self._http.patch(f"/_mock/accounts/{self._account}", json={"behaviour": behaviour, **rest})
        assert answer.status_code < 300, answer.text

    def gets(self, xml):
        """The payment file is uploaded, whatever the bank thinks of it."""
        return self._http.post("/payments", content=xml, headers={"Content-Type": "application/xml"})

    def to_day(self, day):
        answer = self._http.post("/_mock/advance", params={"to": day.isoformat()})
        assert answer.status_code == 200, answer.text

    def new_files(self, *kinds):
        """What the bank has for us since the last time, in its order; of these kinds only."""
        for message in self._http.get("/_mock/mailbox").json():
            if message["account"] in (self._account, None) and not message["type"].startswith("pacs"):
                self._waiting.append((message["type"], message["body"].encode()))
        found = [(kind, body) for kind, body in self._waiting if not kinds or kind.startswith(kinds)]
        self._waiting = [each for each in self._waiting if each not in found]
        return [body for _, body in found]


@contextmanager
def open_bank(iban, clock):
    server = make_server(Config(port=0, quiet=True, clock=clock))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{server.server_address[1]}") as http:
            yield MockBank(http, iban)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


# Messages of other banks, by hand


def camt(entries, kind="camt.053", version="08", message="S1", iban=OURS, opening=1000000, number=1, day="2026-11-04"):
    """A statement (or notification) of `(direction, cents, end-to-end id, more)`."""
    change = sum(cents if direction == "CRDT" else -cents for direction, cents, *_ in entries)
    shell = ("BkToCstmrStmt", "Stmt") if kind == "camt.053" else ("BkToCstmrDbtCdtNtfctn", "Ntfctn")
    balances = f"<ElctrncSeqNb>{number}</ElctrncSeqNb>" if kind == "camt.053" else ""
    held = ""
    if kind == "camt.053":
        for code, cents in (("OPBD", opening), ("CLBD", opening + change)):
            held += (
                f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{euros(cents)}<CdtDbtInd>CRDT</CdtDbtInd>"
                f"<Dt><Dt>{day}</Dt></Dt></Bal>"
            )
    body = "".join(_entry(version, day, *entry) for entry in entries)
    return (
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{kind}.001.{version}"><{shell[0]}>'
        f"<GrpHdr><MsgId>{message}</MsgId><CreDtTm>{day}T20:00:00</CreDtTm></GrpHdr><{shell[1]}><Id>{message}</Id>"
        f"{balances}<CreDtTm>{day}T20:00:00</CreDtTm><Acct><Id><IBAN>{iban}</IBAN></Id></Acct>{held}{body}"
        f"</{shell[1]}></{shell[0]}></Document>"
    ).encode()


def euros(cents):
    return f'<Amt Ccy="EUR">{cents // 100}.{cents % 100:02}</Amt>'


def _entry(version, day, direction, cents, end_to_end_id=None, details=None, reference=None):
    status = "<Sts>BOOK</Sts>" if version == "02" else "<Sts><Cd>BOOK</Cd></Sts>"
    reference = f"<AcctSvcrRef>{reference}</AcctSvcrRef>" if reference else ""
    refs = f"<TxDtls><Refs><EndToEndId>{end_to_end_id}</EndToEndId></Refs></TxDtls>" if end_to_end_id else ""
    details = details or refs
    details = f"<NtryDtls>{details}</NtryDtls>" if details else ""
    return (
        f"<Ntry>{euros(cents)}<CdtDbtInd>{direction}</CdtDbtInd>{status}<BookgDt><Dt>{day}</Dt></BookgDt>{reference}"
        f"<BkTxCd></BkTxCd>{details}</Ntry>"
    )


def pain_002(group="", payments=(), message="P1", original="MD-1-2026-001", version="10", reason=""):
    reason = f"<StsRsnInf><Rsn><Cd>{reason}</Cd></Rsn></StsRsnInf>" if reason else ""
    group = f"<GrpSts>{group}</GrpSts>{reason}" if group else ""
    inside = "".join(
        f"<TxInfAndSts><OrgnlEndToEndId>{name}</OrgnlEndToEndId><TxSts>{code}</TxSts></TxInfAndSts>"
        for name, code in payments
    )
    batch = f"<OrgnlPmtInfId>{original}-1</OrgnlPmtInfId>{inside}"
    batch = f"<OrgnlPmtInfAndSts>{batch}</OrgnlPmtInfAndSts>" if payments else ""
    return (
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.{version}"><CstmrPmtStsRpt><GrpHdr>'
        f"<MsgId>{message}</MsgId><CreDtTm>2026-11-03T09:00:00</CreDtTm></GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>{original}</OrgnlMsgId>"
        f"<OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>{group}</OrgnlGrpInfAndSts>{batch}</CstmrPmtStsRpt></Document>"
    ).encode()
