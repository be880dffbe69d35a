"""Many cards on the command line: a delivery is tested, everybody gets a pass, and the box adds up."""

import json

import pytest
from typer.testing import CliRunner

from hardware.in_process import InProcessReader
from issuer import encode_cli, options
from issuer.encoding import RegistryJobs
from issuer.registry import Registry
from tests.city import factory_card
from tests.issuer.a_batch import PEOPLE, desk_on
from tests.issuer.a_registry import TODAY, all_passes, noon, take


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a command with this folder: `(exit code, what it answers to machines)`."""
    monkeypatch.setattr(encode_cli, "open_desk", lambda data, *rest: desk_on(Registry.at(data)))
    monkeypatch.setattr(encode_cli, "today", lambda: TODAY)
    assert options.today is not encode_cli.today

    def invoke(*words):
        answer = CliRunner().invoke(encode_cli.app, [*map(str, words), "--data", str(tmp_path / "desk"), "--json"])
        assert not answer.exception or isinstance(answer.exception, SystemExit), answer.exception
        return answer.exit_code, json.loads(answer.stdout) if answer.stdout else answer.stderr

    return invoke


@pytest.fixture
def registry(tmp_path):
    made = Registry.at(tmp_path / "desk")
    take(made, PEOPLE)
    yield made
    made.close()


def accept(run, reference="2026-04", *more):
    return run("accept-delivery", reference, "--count", 20, "--supplier", "Cards Ltd", "--emulated", *more)


def test_from_the_box_to_the_counter_and_it_adds_up(run, registry, tmp_path):
    code, report = accept(run)
    assert (code, report["accepted"], report["spent"]) == (0, True, 1)
    code, done = run("batch", "--emulated", 2, "--cards", tmp_path / "cards", "--delivery", "2026-04")
    assert (code, done["done"], done["waiting"], done["aside"]) == (0, len(PEOPLE), 0, [])
    assert len([card for card in all_passes(registry) if card.state == "encoded"]) == len(PEOPLE)
    code, found = run("stock", "--delivery", "2026-04", "--counted", 15)
    assert (code, found["difference"], found["deliveries"][0]["left"]) == (0, 0, 15)


def test_cards_that_are_missing_are_a_refusal_until_somebody_books_them(run, registry):
    accept(run)
    count = ("stock", "--delivery", "2026-04", "--counted", 18)
    assert run(*count)[0] == 1
    assert run(*count, "--write-off")[0] == 0
    code, found = run(*count)
    assert (code, found["deliveries"][0]["corrected"]) == (0, -1)


def test_a_card_that_was_begun_and_is_lost_is_given_up_and_its_pass_gets_another(run, registry, tmp_path):
    jobs = RegistryJobs(registry, desk_on(registry), TODAY, noon, "clerk")
    job = jobs.next()
    jobs.begin(job, b"\x04\x11\x22\x33\x44\x55\x66")
    assert run("reject-card", job.code, "--reason", "lost")[0] == 0
    assert run("batch", "--emulated", 1, "--cards", tmp_path / "cards")[1]["done"] == len(PEOPLE)


def test_a_card_with_a_budget_or_no_card_at_all_is_not_given_up(run, registry):
    jobs = RegistryJobs(registry, desk_on(registry), TODAY, noon, "clerk")
    job = jobs.next()
    assert run("reject-card", job.code, "--reason", "lost")[0] == 1
    jobs.begin(job, b"\x04\x11\x22\x33\x44\x55\x66")
    jobs.encode(job, InProcessReader(factory_card()))
    assert run("reject-card", job.code, "--reason", "lost")[0] == 1


def test_a_delivery_is_tested_once(run, registry):
    accept(run)
    code, said = accept(run)
    assert (code, "tested already" in said) == (1, True)


def test_a_delivery_that_nobody_tested_is_not_used(run, registry, tmp_path):
    code, said = run("batch", "--emulated", 1, "--cards", tmp_path / "cards", "--delivery", "unknown")
    assert (code, "no delivery unknown" in said) == (1, True)


@pytest.mark.parametrize(
    "words",
    [
        ("batch", "--emulated", 1, "--reader", "left"),
        ("stock", "--counted", 3),
        ("accept-delivery", "small", "--count", 2, "--supplier", "Cards Ltd", "--emulated"),
    ],
)
def test_wrong_use_is_two(run, words):
    assert run(*words)[0] == 2


def test_nothing_to_do_asks_for_no_reader(run, tmp_path):
    Registry.at(tmp_path / "desk").close()
    code, done = run("batch")
    assert (code, done["done"]) == (0, 0)
