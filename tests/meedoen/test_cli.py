"""The whole command: how it ends when the machine says no."""

import pytest

from meedoen.cli import main


@pytest.fixture
def ends(monkeypatch, capsys):
    def run(*words):
        monkeypatch.setattr("sys.argv", ["meedoen", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, capsys.readouterr().err

    return run


def test_a_file_where_a_folder_should_be_is_one_sentence(ends, tmp_path):
    (tmp_path / "note").write_text("hello")
    assert ends("issuer", "people", "--data", tmp_path / "note") == (1, f"{tmp_path / 'note'}: File exists.\n")


def test_a_command_that_is_not_there_is_wrong_use(ends):
    assert ends("issuer", "pay")[0] == 2


def test_done_is_nought(ends, tmp_path):
    assert ends("issuer", "people", "--data", tmp_path) == (0, "")
