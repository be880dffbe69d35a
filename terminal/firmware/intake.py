"""What one municipality asks of its book, and brings to it: keys, offers, hotlist, and where its records go."""

from card.batch import MAC_BYTES, freshness_mac
from card.wire import same
from terminal.firmware.enrolment import Enrolment
from terminal.firmware.errors import ListRefused
from terminal.firmware.hotlist import take_hotlist as put_hotlist
from terminal.firmware.keys import Keys


def about(book):
    """What the terminal says of this municipality."""
    enrolment, keys = Enrolment(book.flash, book.identity.number), book.keys
    found = {"issuer": book.issuer, "terminal": enrolment.terminal, "enrolled": enrolment.terminal is not None}
    found.update({"lease": enrolment.next_lease, "lease_until": None, "release": None})
    found["day"] = None
    found.update({"journal": 0, "first": 1, "bundle": 0, "hotlist": 0, "changes": 0, "doubts": 0})
    if keys is not None and book.journal is not None:
        found["terminal"] = keys.terminal
        found["release"] = keys.release and keys.release["version"]
        found["journal"] = book.journal.count
        found["signers"] = keys.signers
        found["first"] = book.journal.first
        found["room"] = book.journal.room
        found["doubts"] = book.journal.doubts
        found["day"] = book.days.today
        if book.days.sealing is not None:
            found["lease_until"] = book.days.sealing.last_day
        if book.till.bundle is not None:
            found["bundle"] = book.till.bundle.version
        if book.till.hotlist is not None:
            found["hotlist"], found["changes"] = book.till.hotlist.base.version, book.till.hotlist.version
    return found


def take_lease(book, wrapped, lock, shift_key):
    """Take new keys. While the shift is closed only a lease with the same card keys is taken.

    The wrapping key steps last: wherever the power goes before that, the old keys still work, or the new ones do and
    the step is made up for at the next start.
    """
    from terminal.firmware import cards, forms

    enrolment = Enrolment(book.flash, book.identity.number)
    number = enrolment.next_lease
    opened = forms.filled_in(forms.LEASE, enrolment.open(wrapped), "the lease")
    if opened["terminal"] != enrolment.terminal or opened["issuer"] != book.issuer:
        raise ListRefused("these keys are for another terminal")
    new_cards = cards.new_in(opened, book.flash, book.issuer, lock, shift_key)
    keys = Keys.of_lease(opened, number, book.identity.device, forms.release_in(opened), book.keys)
    book.days.renew(forms.sealing_key(opened["sealing"]), opened["day"])
    if new_cards is not None:
        cards.keep(book.flash, new_cards)
    keys.keep(book.flash)
    book.use_keys(keys)
    if shift_key is not None:
        book.use_cards(*cards.read(book.flash, book.issuer, shift_key))
    enrolment.step()


def take_bundle(book, content):
    """Take the offers of the day; the MAC behind them shows that they were made after the last statement."""
    book.require_keys()
    # A view, because a small heap has no room for forty offers twice.
    sealed, mac = memoryview(content)[:-MAC_BYTES], content[-MAC_BYTES:]
    new = book.open_bundle(sealed, book.keys.link_key)
    if new.issuer != book.issuer:
        raise ListRefused("these offers are of another municipality")
    held = book.till.bundle
    if held is not None and new.version < held.version:
        raise ListRefused("version %d is older than %d, which is here" % (new.version, held.version))
    if book.nonce is None or not same(mac, freshness_mac(book.keys.link_key, book.nonce, sealed)):
        raise ListRefused("these offers are of another moment; sync again")
    book.flash.replace("bundle", sealed)
    book.nonce = None
    book.days.brought(new.day)
    book.use_lists(new)


def take_hotlist(book, path):
    """Take the list of blocked passes from the file at `path`; it moves into place when it is genuine and not older.

    It says itself whether it is a whole one or the changes to the one that is here.
    """
    book.require_keys()
    try:
        put_hotlist(path, book.flash.folder, book.keys.hotlist_keys[0], book.till.hotlist)
    finally:
        book.use_lists(book.bundle)
