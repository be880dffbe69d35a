"""The vault's commands: what they write, and how they refuse."""

import json

import pytest
from typer.testing import CliRunner

from keys.cli import app

SCHEME = '[municipality]\nnumber = 1\naid = "F0E0D1"\n'


@pytest.fixture
def command(tmp_path):
    """Runs a command in this folder: `(exit code, all that is said)`."""

    def run(*words):
        answer = CliRunner().invoke(app, [*map(str, words), "--data", str(tmp_path / "keys")])
        assert not answer.exception or isinstance(answer.exception, SystemExit), answer.exception
        return answer.exit_code, answer.output

    return run


@pytest.fixture
def scheme(tmp_path):
    path = tmp_path / "scheme.toml"
    path.write_text(SCHEME)
    return path


def test_every_party_gets_its_file_readable_for_its_owner_only(command, scheme, tmp_path):
    code, said = command("init", "--scheme", scheme, "--json")
    assert (code, json.loads(said)) == (0, {"folder": str(tmp_path / "keys")})
    assert command("terminal", 104)[0] == command("desk")[0] == 0
    files = sorted((tmp_path / "keys").iterdir())
    assert [path.name for path in files] == ["backend.json", "issuer.json", "terminal-104.json", "vault.json"]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def test_keys_that_are_there_are_never_replaced(command, scheme, tmp_path):
    command("init", "--scheme", scheme)
    before = (tmp_path / "keys/vault.json").read_bytes()
    code, said = command("init", "--scheme", scheme)
    assert (code, "already holds the keys" in said) == (1, True)
    assert (tmp_path / "keys/vault.json").read_bytes() == before


@pytest.mark.parametrize("content", ["# A page", "x = 1", "municipality = 1", "[municipality]\nnumber = 1"])
def test_what_is_no_scheme_makes_no_keys(command, scheme, tmp_path, content):
    scheme.write_text(content)
    code, said = command("init", "--scheme", scheme)
    assert (code, said.startswith(f"{scheme} is not a scheme")) == (1, True)
    assert not (tmp_path / "keys").exists()


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [("1\n", "0\n", "number"), ("1\n", '"1"\n', "number"), ('"F0E0D1"', "5", "aid"), ("F0E0D1", "F0E0", "aid")],
)
def test_a_scheme_that_no_pass_can_carry_makes_no_keys(command, scheme, tmp_path, old, new, names):
    scheme.write_text(SCHEME.replace(old, new, 1))
    code, said = command("init", "--scheme", scheme)
    assert (code, names in said) == (1, True)
    assert not (tmp_path / "keys").exists()


@pytest.mark.parametrize("words", [["terminal", 104], ["desk"], ["serve"]], ids=["terminal", "desk", "serve"])
def test_without_keys_each_says_how_to_make_them(command, words):
    code, said = command(*words)
    assert (code, "meedoen keys init" in said) == (1, True)


@pytest.mark.parametrize(
    "words",
    [["init"], ["init", "--scheme", "nothing.toml"], ["terminal", 1], ["serve", "--port", 99999]],
    ids=["no scheme", "no file", "number of a desk", "port"],
)
def test_wrong_use_ends_with_two(command, words):
    assert command(*words)[0] == 2
