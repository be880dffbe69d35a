"""What the host may ask a terminal as a whole."""

import json
from binascii import hexlify

from card.batch import CHALLENGE_BYTES, NONCE_BYTES, statement_mac
from card.wire import read_uint
from terminal.firmware import VERSION, intake, link
from terminal.firmware.enrolment import Enrolment
from terminal.firmware.errors import ListRefused
from terminal.firmware.lock import lock_of
from terminal.firmware.storage import wipe


def answer(device, kind, issuer, content):
    """The content of the answer; raises ListRefused or FlashError, and then nothing changed."""
    if kind == link.HELLO and not content:
        return _hello(device)
    if kind == link.DEVICE:
        return _enrol(device, content)
    if kind == link.FORGET_PIN:
        return _forget_pin(device)
    if kind == link.PART:
        from terminal.firmware import incoming

        if issuer != link.WHOLE_DEVICE:
            device.book_of(issuer).require_keys()
        return incoming.part(device.flash, issuer, content, _taker(device))
    book = device.book_of(issuer)
    if kind == link.HELLO and len(content) == CHALLENGE_BYTES:
        return _statement(device, book, content)
    if kind == link.REMOVE and len(content) == 4:
        return _remove(device, book, read_uint(content, 0, 4))
    if kind == link.LEASE:
        intake.take_lease(book, content, lock_of(device), device.shift.key)
    elif kind == link.BUNDLE:
        intake.take_bundle(book, content)
    else:
        raise ListRefused("this terminal does not know the question")
    device.lists_changed()
    return b""


def take_incoming(device, issuer, name):
    """Take a file that is on flash whole as `incoming`."""
    from terminal.firmware import incoming

    incoming.take_whole(device.flash, issuer, name, _taker(device))


def _taker(device):
    """`take(issuer, name, path)` for a file that is here whole."""

    def take(issuer, name, path):
        if name == link.FIRMWARE and issuer == link.WHOLE_DEVICE:
            if device.slots is None:
                raise ListRefused("this terminal has no slots for firmware; update the computer that it runs on")
            device.slots.take(path, [book.keys.release if book.keys else None for book in device.books])
        elif name == link.HOTLIST:
            intake.take_hotlist(device.book_of(issuer), path)
        else:
            raise ListRefused("this terminal does not know the file")

    return take


def _statement(device, book, challenge):
    """What a terminal says of itself to a backend: a MAC over the challenge and what follows it."""
    book.require_keys()
    book.nonce = device.board.random(NONCE_BYTES)
    about = intake.about(book)
    about.update({"device": device.identity.device, "version": VERSION, "nonce": hexlify(book.nonce).decode()})
    said = json.dumps(about).encode()
    return statement_mac(book.keys.link_key, challenge, said) + said


def _hello(device):
    """The device as a whole. Nothing in it is proven; see `_statement`."""
    about = {"device": device.identity.device, "version": VERSION, "clock": device.board.today()}
    error = device.flash.read("error")
    about["error"] = error.decode() if error else None
    about["online"] = device.online
    about["key_chip"] = device.identity.trouble()
    about["room"] = device.flash.room()
    about.update(device.slots.facts() if device.slots else {"slot": None, "trial": False, "failed": None})
    about["pin"] = lock_of(device).has_pin
    about["shift"] = "open" if device.shift.is_open else "closed"
    about["books"] = [intake.about(book) for book in device.books]
    return json.dumps(about).encode()


def _enrol(device, content):
    """A book is there from the moment that it has its wrapping key; its folder by itself is nothing yet."""
    from terminal.firmware import forms, shelf

    paper = forms.read_paper(content, device.identity.number)
    for book in device.books:
        if book.issuer == paper["issuer"]:
            _enrolment(book).take(paper, book.keys.terminal if book.keys else None)
            return b""
    if len(device.books) == shelf.MOST_BOOKS:
        raise ListRefused("this terminal serves %d municipalities already" % shelf.MOST_BOOKS)
    shelf.make_folder(device.flash, paper["issuer"], [book.slot for book in device.books])
    book = device.open_book(paper["issuer"])
    wipe(device.board.storage(book.slot))
    _enrolment(book).take(paper, None)
    device.books.append(book)
    shelf.keep_order(device.flash, [book.issuer for book in device.books])
    return b""


def _enrolment(book):
    return Enrolment(book.flash, book.identity.number)


def _remove(device, book, handed_in):
    """Take one municipality off, once the backend holds its records up to the last."""
    from terminal.firmware import shelf

    if book.keys is not None:
        book.require_keys()
    if book.journal is not None and handed_in < book.journal.count:
        raise ListRefused("records %d to %d are not handed in yet" % (handed_in + 1, book.journal.count))
    device.books.remove(book)
    device.lists_changed()
    shelf.remove(device.flash, book.issuer)
    return b""


def _forget_pin(device):
    """The card keys go with it: the next lease brings them to whoever opens the next shift."""
    from terminal.firmware import cards, duty

    lock_of(device).forget()
    duty.close(device)
    for book in device.books:
        cards.forget(book.flash)
    device.begin()
    return b""
