"""Passes printed over IPP on Debian's ippeveprinter: once, and with words for whatever goes wrong."""

from datetime import date
from io import BytesIO
from threading import Timer

import pytest
from pypdf import PdfReader

from hardware.errors import PrintedBefore, PrinterError
from hardware.printer import IppPrinter
from issuer.printing import Face, load_artwork
from tests.hardware.ipp_printer import BreakingLine, card_printer

NAME = "Pass K7QW-M2XP"


@pytest.fixture(scope="module")
def pdf():
    return load_artwork().pdf([Face("Jan de Boer", "K7QW-M2XP")], date(2027, 1, 31))


@pytest.fixture
def there(tmp_path):
    with card_printer(tmp_path) as printer:
        yield printer


def test_a_pass_comes_out_as_it_was_drawn_on_both_sides_of_a_card(there, pdf):
    IppPrinter(there.uri).print_pdf(pdf, NAME)
    assert there.printed() == [pdf]
    pages = PdfReader(BytesIO(there.printed()[0])).pages
    sizes = [
        (round(float(page.mediabox.width) / 72 * 25.4, 1), round(float(page.mediabox.height) / 72 * 25.4, 1))
        for page in pages
    ]
    assert sizes == [(85.6, 54.0), (85.6, 54.0)]
    assert "IPP_SIDES=two-sided-long-edge" in there.asked()
    assert f"IPP_JOB_NAME={NAME}" in there.asked()


def test_a_pass_that_was_printed_is_not_printed_again_unless_somebody_says_so(there, pdf):
    IppPrinter(there.uri).print_pdf(pdf, NAME)
    with pytest.raises(PrintedBefore, match="look in its tray"):
        IppPrinter(there.uri).print_pdf(pdf, NAME)
    assert there.printed() == [pdf]
    IppPrinter(there.uri).print_pdf(pdf, NAME, again=True)
    assert there.printed() == [pdf, pdf]


def test_another_pass_is_another_job(there, pdf):
    IppPrinter(there.uri).print_pdf(pdf, NAME)
    IppPrinter(there.uri).print_pdf(pdf, "Pass AAAA-BBBB")
    assert len(there.printed()) == 2


def test_a_job_whose_answer_was_lost_is_found_and_not_sent_again(there, pdf):
    with BreakingLine(there.port, breaks="after") as line:
        IppPrinter(line.uri).print_pdf(pdf, NAME)
        assert line.jobs_passed_on == 1
    assert there.printed() == [pdf]


def test_an_answer_lost_while_printing_again_is_not_taken_for_the_first_print(there, pdf):
    IppPrinter(there.uri).print_pdf(pdf, NAME)
    with BreakingLine(there.port, breaks="before") as line, pytest.raises(PrinterError, match="do it again"):
        IppPrinter(line.uri).print_pdf(pdf, NAME, again=True)
    assert there.printed() == [pdf]
    with BreakingLine(there.port, breaks="after") as line:
        IppPrinter(line.uri).print_pdf(pdf, NAME, again=True)
    assert there.printed() == [pdf, pdf]


def test_a_line_that_breaks_before_the_printer_has_anything_leaves_it_to_be_done_again(there, pdf):
    with BreakingLine(there.port, breaks="before") as line, pytest.raises(PrinterError, match="do it again"):
        IppPrinter(line.uri).print_pdf(pdf, NAME)
    assert there.printed() == []
    IppPrinter(there.uri).print_pdf(pdf, NAME)
    assert there.printed() == [pdf]


@pytest.mark.parametrize(
    ("reason", "words"),
    [("media-empty", "put cards in"), ("marker-supply-empty", "out of ribbon"), ("cover-open", "close it")],
)
def test_a_printer_that_stands_still_says_what_it_needs_and_then_goes_on_with_the_same_card(there, pdf, reason, words):
    filled = there.folder / "filled"
    there.does(f"echo 'STATE: +{reason}' >&2; until [ -e {filled} ]; do sleep 0.1; done; echo 'STATE: -{reason}' >&2")
    with pytest.raises(PrinterError, match=words):
        IppPrinter(there.uri, patience_seconds=1).print_pdf(pdf, NAME)
    filled.touch()
    IppPrinter(there.uri).print_pdf(pdf, "Pass AAAA-BBBB")
    with pytest.raises(PrintedBefore):
        IppPrinter(there.uri).print_pdf(pdf, NAME)
    assert len(there.printed()) == 2


def test_nothing_is_sent_to_a_printer_that_stands_still(there, pdf):
    with (
        BreakingLine(there.port, garbles=(b"none", b"media-empty-error")) as line,
        pytest.raises(PrinterError, match="put cards in"),
    ):
        IppPrinter(line.uri).print_pdf(pdf, NAME)
    assert there.printed() == []


@pytest.mark.parametrize("remark", [b"media-empty-warning", b"cover-open-report", b"marker-supply-low-error"])
def test_a_remark_does_not_keep_a_printer_from_printing(there, pdf, remark):
    with BreakingLine(there.port, garbles=(b"none", remark)) as line:
        IppPrinter(line.uri).print_pdf(pdf, NAME)
    assert there.printed() == [pdf]


def test_a_card_that_the_printer_gives_up_on_is_told_and_may_be_done_again(there, pdf):
    there.does("exit 1")
    with pytest.raises(PrinterError, match="gave up"):
        IppPrinter(there.uri).print_pdf(pdf, NAME)
    there.does("exit 0")
    IppPrinter(there.uri).print_pdf(pdf, NAME)


def test_a_printer_that_is_still_busy_is_waited_for_and_not_asked_twice(there, pdf):
    done = there.folder / "done"
    there.does(f"until [ -e {done} ]; do sleep 0.1; done")
    with pytest.raises(PrinterError, match="still busy"):
        IppPrinter(there.uri, patience_seconds=0).print_pdf(pdf, NAME)
    Timer(0.5, done.touch).start()
    IppPrinter(there.uri).print_pdf(pdf, NAME)
    assert there.printed() == [pdf]


def test_a_printer_with_another_card_in_hand_is_waited_for(there, pdf):
    done = there.folder / "done"
    there.does(f"until [ -e {done} ]; do sleep 0.1; done")
    with pytest.raises(PrinterError, match="still busy"):
        IppPrinter(there.uri, patience_seconds=0).print_pdf(pdf, NAME)
    Timer(0.5, done.touch).start()
    IppPrinter(there.uri).print_pdf(pdf, "Pass AAAA-BBBB")
    assert len(there.printed()) == 2


def test_a_printer_that_takes_no_pdf_gets_none(tmp_path, pdf):
    with card_printer(tmp_path, formats="image/png") as there:
        with pytest.raises(PrinterError, match="takes no PDF"):
            IppPrinter(there.uri).print_pdf(pdf, NAME)
        assert there.printed() == []


def test_a_printer_that_is_off_is_told_as_such(pdf):
    with pytest.raises(PrinterError, match="does not answer: switch it on"):
        IppPrinter("ipp://localhost:9/ipp/print").print_pdf(pdf, NAME)


def test_a_name_that_no_job_can_have_is_refused(pdf):
    with pytest.raises(ValueError, match="255 bytes"):
        IppPrinter("ipp://localhost:9/ipp/print").print_pdf(pdf, "x" * 256)
