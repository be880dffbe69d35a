"""What the host may ask a terminal as a whole."""

import json

from card.wire import read_uint
from terminal.firmware import VERSION, intake, link
from terminal.firmware.enrolment import Enrolment
from terminal.firmware.errors import ListRefused
from terminal.firmware.lock import lock_of
from terminal.firmware.storage import wipe


def answer(device, kind, issuer, content):
    """The content of the answer; raises ListRefused or FlashError, and then nothing changed."""
    if kind == link.HELLO:
        return _hello(device)
    if kind == link.DEVICE:
        return _enrol(device, content)
    if kind == link.FORGET_PIN:
        return _forget_pin(device)
    book = device.book_of(issuer)
    if kind == link.REMOVE and len(content) == 4:
        return _remove(device, book, read_uint(content, 0, 4))
    if kind == link.LEASE:
        intake.take_lease(book, content, lock_of(device), device.shift.key)
    elif kind == link.BUNDLE:
        intake.take_bundle(book, content)
    elif kind == link.HOTLIST:
        intake.take_hotlist(book, content)
    else:
        raise ListRefused("this terminal does not know the question")
    device.lists_changed()
    return b""


def _hello(device):
    about = {"device": device.identity.device, "version": VERSION, "clock": device.board.today()}
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
