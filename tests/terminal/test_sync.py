"""A sync: what is handed in and brought, in which order, and what happens when one of the others is not there."""

import os
from datetime import date

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from backend.calendar import utc_now
from backend.statements import Statements
from card.batch import link_key, open_batch
from card.signing import BUNDLE, HOTLIST, SEAL_BYTES, certificate, certificate_input, content_input, signed
from card.wire import uint
from issuer.hotlist import base_of, changes_of
from keys.custody import rotate
from keys.http import BACKEND, Caller, create_app
from keys.register import Terminal
from terminal.errors import BackendUnreachable, NoHotlist, NoOffers, TerminalError
from terminal.firmware import link
from terminal.host import Backend, DirectLink, HotlistAddress, SerialLink, enrol, provision, sync
from tests.city import (
    CENTS,
    DAY,
    TERMINAL,
    VAULT,
    PaperLog,
    PcTerminal,
    bundle,
    bundle_signer,
    device_file,
    hotlist,
    lease,
    list_keys,
    make_pass,
    proven_cents,
    purses_of,
    signed_bundle,
    signed_hotlist,
    vault_of,
)


class City:
    """The backend as far as a host sees it, with the vault behind it; what is asked is kept in `asked`."""

    def __init__(self, vault):
        self.vault = vault
        self.entries, self.asked = [], []
        self.vault_answers = True
        self.statements = Statements([vault.handed_out("link", 1)], utc_now)
        self.sign = lambda made: signed_bundle(made, vault)
        self._vault = httpx.Client(
            base_url="http://vault", transport=httpx.WSGITransport(Caller(create_app(vault, PaperLog()), BACKEND))
        )

    def __call__(self, request):
        *_, what = request.url.path.split("/")
        self.asked.append("lease" if "/leases/" in request.url.path else what)
        if what == "bundle":
            return self._bundle(request.content)
        if request.method == "POST":
            return self._take(request.content)
        if "/leases/" in request.url.path:
            return self._lease(request.url.path)
        challenge = self.statements.challenge(TERMINAL).hex()
        return httpx.Response(200, json={"nextPosition": len(self.entries) + 1, "challenge": challenge})

    def _bundle(self, statement):
        self.statements._roots = [self.vault.handed_out("link", version) for version in self.vault.accepted("link")]
        nonce = self.statements.nonce_in(TERMINAL, statement, len(self.entries) + 1)
        offers = bundle(version=len(self.asked), valid=(DAY - 1, DAY + 90))
        return httpx.Response(200, content=self.sign(self.statements.answer(TERMINAL, nonce, offers)))

    def _take(self, body):
        batch = open_batch(body, lambda terminal: [link_key(self.vault.handed_out("link", 1), terminal)])
        self.entries += batch.entries
        return httpx.Response(200, json={"nextPosition": len(self.entries) + 1, "refused": []})

    def _lease(self, path):
        if not self.vault_answers:
            return httpx.Response(502, json={"title": "Bad Gateway", "detail": "The vault does not answer."})
        answer = self._vault.get(path)
        return httpx.Response(answer.status_code, content=answer.content, headers=answer.headers)


@pytest.fixture
def city():
    return City(vault_of())


@pytest.fixture
def backend(city):
    return Backend("http://backend", httpx.MockTransport(city))


@pytest.fixture
def terminal(tmp_path, city):
    return PcTerminal(tmp_path / "flash", vault=city.vault)


def to(terminal):
    return DirectLink(terminal.device)


def test_a_new_device_is_enrolled_provisioned_synced_and_charges(tmp_path, city, backend, card):
    blank = PcTerminal(tmp_path / "flash", provision=False)
    about = {"device": enrol(to(blank)), "lease": 0}
    paper = httpx.Response(200, content=device_file(about, vault=city.vault)).json()
    assert provision(to(blank), paper, lease(about, vault=city.vault)) == TERMINAL
    report = sync(to(blank), backend, signed_hotlist())
    assert (report.terminal, report.handed_in, report.lease_until) == (TERMINAL, 0, date(2026, 12, 21))
    assert blank.tap(card)[1] == "00"
    assert sync(to(blank), backend, signed_hotlist()).handed_in == 1
    assert proven_cents(city.entries) == 400


def test_a_device_that_only_got_its_wrapping_key_is_given_the_rest_by_a_sync(tmp_path, city, backend, card):
    blank = PcTerminal(tmp_path / "flash", provision=False)
    blank.ask(link.DEVICE, device_file(blank.about(), vault=city.vault))
    sync(to(blank), backend, signed_hotlist())
    assert blank.tap(card)[1] == "00"


def test_a_device_that_nobody_enrolled_is_not_synced(tmp_path, backend):
    blank = PcTerminal(tmp_path / "flash", provision=False)
    with pytest.raises(TerminalError, match="provision it first"):
        sync(to(blank), backend, None)


def test_every_sync_renews_the_keys_after_the_journal_and_before_the_lists(terminal, city, backend, card):
    terminal.tap(card)
    city.vault.today = lambda: date(2026, 12, 1)
    report = sync(to(terminal), backend, signed_hotlist(version=2))
    assert city.asked == ["101", "batches", "lease", "bundle"]
    assert (report.handed_in, report.lease_until, report.warning) == (1, date(2026, 12, 31), None)
    assert terminal.about()["lease"] == 2
    assert terminal.about()["hotlist"] == 2


def test_a_vault_that_does_not_answer_is_a_warning_and_the_rest_goes_on(terminal, city, backend, card):
    city.vault_answers = False
    terminal.tap(card)
    report = sync(to(terminal), backend, signed_hotlist(version=2))
    assert report.warning == "The keys could not be renewed; sync again later. The vault does not answer."
    assert (report.handed_in, report.lease_until) == (1, date(2026, 12, 21))
    assert (terminal.about()["bundle"], terminal.about()["hotlist"]) == (4, 2)
    assert terminal.tap(card)[1] == "00"
    city.vault_answers = True
    assert sync(to(terminal), backend, None).warning is None


def test_a_terminal_that_was_revoked_hands_in_and_gets_nothing(terminal, city, backend, card):
    terminal.tap(card)
    city.vault.register.terminals[str(TERMINAL)].revoked_on = "2026-11-20"
    with pytest.raises(TerminalError, match=r"The keys of this terminal were revoked.*on 2026-11-20"):
        sync(to(terminal), backend, signed_hotlist(version=2))
    assert proven_cents(city.entries) == 400
    assert (terminal.about()["bundle"], terminal.about()["hotlist"]) == (1, 1)


def test_a_revoked_terminal_stops_at_the_end_of_its_lease(tmp_path, city, card):
    terminal = PcTerminal(tmp_path / "flash", vault=city.vault, valid=(DAY, DAY + 90))
    terminal.days_on = 30
    assert terminal.tap(card)[1] == "00"
    terminal.days_on = 31
    assert terminal.tap(card)[1] == "30"
    assert purses_of(card)[CENTS] == 1600


def test_a_terminal_that_the_vault_never_knew_is_told_so(terminal, city, backend):
    del city.vault.register.terminals[str(TERMINAL)]
    with pytest.raises(TerminalError, match=r"or never issued.*meedoen keys terminal issue"):
        sync(to(terminal), backend, None)


def test_keys_for_a_device_that_took_its_number_over_are_refused_after_the_journal(terminal, city, backend, card):
    terminal.tap(card)
    city.vault.register.terminals[str(TERMINAL)] = Terminal("22" * 8)
    with pytest.raises(TerminalError, match="for another terminal"):
        sync(to(terminal), backend, None)
    assert proven_cents(city.entries) == 400


def test_a_backend_that_is_gone_when_it_is_asked_for_keys_is_said(terminal, city):
    def gone(request):
        if "/leases/" in request.url.path:
            raise httpx.ConnectError("gone")
        return city(request)

    with pytest.raises(BackendUnreachable, match="cannot be reached"):
        sync(to(terminal), Backend("http://backend", httpx.MockTransport(gone)), None)


@pytest.mark.parametrize("status", [301, 401, 403])
def test_any_other_answer_in_place_of_keys_is_a_backend_that_refuses(terminal, city, status):
    def refuse(request):
        return httpx.Response(status) if "/leases/" in request.url.path else city(request)

    with pytest.raises(BackendUnreachable, match=f"refused.*{status}"):
        sync(to(terminal), Backend("http://backend", httpx.MockTransport(refuse)), None)
    assert terminal.about()["lease"] == 1


def test_a_sync_brings_keys_of_a_new_version(terminal, city, backend, card):
    rotate(b"\x5a" * 32, city.vault.register, city.vault.store, "tap", date(2027, 6, 30))
    sync(to(terminal), backend, None)
    assert terminal.tap(card)[1] == "00"


@pytest.mark.parametrize(("kind", "times"), [(link.HELLO, 3), (link.DEVICE, 1), (link.LEASE, 1)])
def test_a_terminal_that_does_not_answer_is_asked_again_but_given_keys_once(kind, times):
    ours, theirs = os.openpty()
    line = SerialLink(os.ttyname(theirs), timeout_s=0.3)
    with pytest.raises(TerminalError, match="does not answer"):
        line.ask(kind, b"content")
    line.close()
    assert os.read(ours, 1024) == link.frame(kind, 0, b"content") * times


def test_a_sync_heals_a_terminal_whose_lease_ended(tmp_path, city, backend, card):
    terminal = PcTerminal(tmp_path / "flash", vault=city.vault, valid=(DAY, DAY + 90))
    terminal.tap(card)
    terminal.days_on = 31
    assert terminal.tap(card)[1] == "30"
    city.vault.today = lambda: date(2026, 12, 22)
    assert sync(to(terminal), backend, None).lease_until == date(2027, 1, 21)
    assert terminal.tap(card)[1] == "00"
    assert sync(to(terminal), backend, None).handed_in == 1
    assert proven_cents(city.entries) == 800


# The hotlist from an address


class HotlistDesk:
    """The desk as far as a host sees it: `asked` has what was asked for, and the version that the host has."""

    def __init__(self, *handles, version, base=None):
        key = list_keys().key
        made = base or base_of(key, version, DAY, [], [])
        changes = changes_of(made, key, version, handles)
        self.parts = {"hotlist": list_keys().signed(made + changes), "changes": list_keys().signed(changes)}
        self.tag = f'"{version}"'
        self.asked = []

    def __call__(self, request):
        part = request.url.path.split("/")[-1]
        self.asked.append((part, request.headers["If-None-Match"]))
        return httpx.Response(304) if self.asked[-1][1] == self.tag else httpx.Response(200, content=self.parts[part])

    @property
    def address(self):
        return HotlistAddress("https://desk/v1/hotlist", httpx.MockTransport(self))


BASE = base_of(list_keys().key, 1, DAY, [], [])


def versions(terminal):
    return terminal.about()["hotlist"], terminal.about()["changes"]


def test_a_terminal_that_has_the_base_gets_the_changes_alone(terminal, backend, card):
    desk = HotlistDesk(make_pass()[1].handle, version=7, base=BASE)
    for _ in range(2):
        sync(to(terminal), backend, desk.address)
        assert versions(terminal) == (1, 7)
    assert desk.asked == [("changes", '"1"'), ("changes", '"7"')]
    assert (terminal.folder / "changes").read_bytes() == desk.parts["changes"][:-SEAL_BYTES]
    assert terminal.tap(card)[1] == "23"


def test_a_terminal_with_another_base_gets_the_whole_list(terminal, backend):
    desk = HotlistDesk(version=7)
    for _ in range(2):
        sync(to(terminal), backend, desk.address)
        assert versions(terminal) == (7, 7)
    assert desk.asked == [("changes", '"1"'), ("hotlist", '"0"'), ("changes", '"7"')]
    assert not (terminal.folder / "changes").exists()


def test_a_terminal_without_a_list_gets_one(terminal, backend):
    (terminal.folder / "hotlist").unlink()
    terminal.boot()
    desk = HotlistDesk(version=7)
    sync(to(terminal), backend, desk.address)
    assert (desk.asked, versions(terminal)) == ([("hotlist", '"0"')], (7, 7))


def test_of_a_file_with_both_the_terminal_gets_what_it_lacks(terminal, backend):
    asked = []
    ask = terminal.device.answer
    terminal.device.answer = lambda kind, issuer, content: asked.append((kind, content)) or ask(kind, issuer, content)
    for desk in (HotlistDesk(version=7, base=BASE), HotlistDesk(version=8)):
        sync(to(terminal), backend, desk.parts["hotlist"])
    # Of each file the first part, which begins with what it is.
    parts = [content[17:] for kind, content in asked if kind == link.PART]
    assert ([part[:2] for part in parts if part], versions(terminal)) == ([b"HC", b"HB"], (8, 8))


def test_changes_in_a_file_are_of_no_use_with_another_base(terminal, backend):
    with pytest.raises(NoHotlist, match="changes to another list"):
        sync(to(terminal), backend, HotlistDesk(version=7).parts["changes"])
    assert versions(terminal) == (1, 1)


# Who signed it


def signer_of(use, vault=VAULT):
    """What the desk signs the hotlist with, or clearing bundles: the key and its certificate."""
    if use == BUNDLE:
        return bundle_signer(vault=vault)
    keys = list_keys(vault=vault)
    return Ed25519PrivateKey.from_private_bytes(keys.signing_key), keys.certificate


def by(use, vault=VAULT):
    """The same, as `signed` takes it."""
    key, certified = signer_of(use, vault)
    return certified, key.sign


def forged(use, content):
    """Lists by who took a terminal apart, and so has the key of the MAC, and by who changed one on its way."""
    other = HOTLIST if use == BUNDLE else BUNDLE
    (ours, certified), theirs = signer_of(use), Ed25519PrivateKey.generate()
    public, good = theirs.public_key().public_bytes_raw(), signed(use, content, certified, ours.sign)
    seal = good[-SEAL_BYTES:]

    def of_theirs(certifies, of=use, until=DAY + 9):
        word = certifies(certificate_input(of, until, public))
        return signed(use, content, certificate(until, public, word), theirs.sign)

    def vault(message):
        return VAULT.store.sign(("bundle", 1), message)

    return {
        "without a signature": content,
        "one byte altered": content[:20] + bytes([content[20] ^ 1]) + content[21:] + seal,
        "one byte less": content[:-1] + seal,
        "one byte more": content + b"\x00" + seal,
        "cut off": good[:40],
        "nothing": b"",
        "another key": content + certified + theirs.sign(content_input(use, content)),
        "a certificate of one's own": of_theirs(theirs.sign),
        "a certificate for something else": of_theirs(vault, of=other),
        "the signer of the other lists": signed(use, content, *by(other)),
        "signed as something else": signed(other, content, certified, ours.sign),
        "a certificate made longer": signed(use, content, uint(DAY + 2000, 2) + certified[2:], ours.sign),
        "of a day after the certificate": of_theirs(vault, until=DAY - 1),
        "of another city": signed(use, content, *by(use, vault_of(root=b"\x17" * 32))),
    }


FORGERIES = list(forged(HOTLIST, bytes(40)))


@pytest.fixture
def asked(terminal):
    """What the terminal is asked."""
    kinds, ask = [], terminal.device.answer
    terminal.device.answer = lambda kind, issuer, content: kinds.append(kind) or ask(kind, issuer, content)
    return kinds


@pytest.mark.parametrize("name", FORGERIES)
def test_a_list_that_the_desk_did_not_sign_does_not_reach_the_terminal(terminal, backend, asked, name):
    before = (terminal.folder / "hotlist").read_bytes()
    with pytest.raises(NoHotlist, match="no list that the city's desk signed"):
        sync(to(terminal), backend, forged(HOTLIST, hotlist(version=DAY << 16))[name])
    assert (link.PART in asked, versions(terminal)) == (False, (1, 1))
    assert (terminal.folder / "hotlist").read_bytes() == before


@pytest.mark.parametrize("name", FORGERIES)
def test_offers_that_clearing_did_not_sign_do_not_reach_the_terminal(terminal, city, backend, asked, card, name):
    before = (terminal.folder / "bundle").read_bytes()
    terminal.tap(card)
    city.sign = lambda made: forged(BUNDLE, made)[name]
    with pytest.raises(NoOffers, match=r"http://backend gives no offers that the city's clearing signed.*sync again"):
        sync(to(terminal), backend, signed_hotlist(version=2))
    assert (link.BUNDLE in asked, terminal.about()["bundle"]) == (False, 1)
    assert (terminal.folder / "bundle").read_bytes() == before
    assert (proven_cents(city.entries), versions(terminal)) == (400, (2, 2))


def test_what_is_forged_is_taken_when_the_city_did_sign_it(terminal, city, backend):
    """The forgeries fail for what is said of them, not for how they are put together."""
    content = hotlist(version=DAY << 16)
    city.sign = lambda made: signed(BUNDLE, made, *by(BUNDLE))
    sync(to(terminal), backend, signed(HOTLIST, content, *by(HOTLIST)))
    assert (terminal.about()["bundle"], versions(terminal)[1]) == (3, DAY << 16)


def test_a_backend_that_can_sign_no_more_is_quoted_and_passes_are_still_blocked(terminal, city):
    def over(request):
        if request.url.path.endswith("/bundle"):
            return httpx.Response(503, json={"title": "Busy", "detail": "Clearing could sign until 2026-11-20."})
        return city(request)

    with pytest.raises(NoOffers, match="gives no offers: Clearing could sign until 2026-11-20"):
        sync(to(terminal), Backend("http://backend", httpx.MockTransport(over)), signed_hotlist(version=2))
    assert (terminal.about()["bundle"], versions(terminal)) == (1, (2, 2))


def test_the_last_day_of_a_certificate_counts(terminal, city, backend):
    sync(to(terminal), backend, signed_hotlist(version=(DAY + 30) << 16))
    assert versions(terminal)[1] == (DAY + 30) << 16
    city.vault.today = lambda: date(2027, 12, 31)
    assert sync(to(terminal), backend, None).lease_until == date(2027, 12, 31)


def test_after_a_rotation_lists_of_either_signer_are_taken(terminal, city, backend):
    old, sign = signed_hotlist(version=7, vault=city.vault), bundle_signer(vault=city.vault)
    rotate(b"\x5a" * 32, city.vault.register, city.vault.store, "bundle", date(2026, 12, 31))
    # The first lease after it brings the new signer, in the same sync and before the bundle.
    sync(to(terminal), backend, old)
    city.sign = lambda made: signed(BUNDLE, made, sign[1], sign[0].sign)
    sync(to(terminal), backend, signed_hotlist(version=8, vault=city.vault))
    assert len(terminal.about()["signers"]) == 2
    assert versions(terminal)[1] == 8


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.Response(503, json={"title": "Busy", "detail": "There is no list now."}), "There is no list now"),
        (httpx.Response(404, text="<h1>Not here</h1>"), r"not a desk \(404\)"),
        (httpx.Response(302, headers={"Location": "https://elsewhere"}), r"not a desk \(302\)"),
        (httpx.ConnectError("no route"), "desk/v1/hotlist cannot be reached"),
        (httpx.InvalidURL("no host"), "cannot be reached"),
    ],
)
def test_when_no_list_comes_all_else_is_done_and_it_is_said(terminal, city, backend, card, answer, said):
    terminal.tap(card)

    def desk(request):
        if isinstance(answer, Exception):
            raise answer
        return answer

    with pytest.raises(NoHotlist, match=said) as refused:
        sync(to(terminal), backend, HotlistAddress("https://desk/v1/hotlist", httpx.MockTransport(desk)))
    assert "sync again" in str(refused.value)
    assert city.asked == ["101", "batches", "lease", "bundle"]
    assert (terminal.about()["bundle"], terminal.about()["hotlist"]) == (4, 1)


def test_a_page_that_is_no_hotlist_changes_nothing(terminal, backend):
    desk = HotlistDesk(version=7)
    desk.parts["changes"] = b"<h1>Welcome</h1>"
    with pytest.raises(NoHotlist, match="desk/v1/hotlist gives no list that the city's desk signed"):
        sync(to(terminal), backend, desk.address)
    assert versions(terminal) == (1, 1)
