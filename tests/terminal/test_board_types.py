"""The firmware fits the modules that MicroPython has on its boards, as far as types can say."""

import pytest

from tests import board_types


@pytest.mark.parametrize("board", board_types.BOARDS)
def test_the_firmware_has_the_types_of_the_board(board):
    assert board_types.findings(board, board_types.sources(board)) == ""


@pytest.mark.parametrize("board", board_types.BOARDS)
def test_a_call_that_the_board_does_not_know_is_found(board, tmp_path):
    wrong = tmp_path / "wrong.py"
    wrong.write_text("import machine\n\nmachine.Pin(1).valeu()\nmachine.WDT(timeout='soon')\n")
    found = board_types.findings(board, [wrong])
    assert '"Pin" has no attribute "valeu"' in found
    assert "2 errors" in found
