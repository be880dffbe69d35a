"""Schemathesis asks clearing and the vault what their specifications allow, and much that they do not."""

import tempfile
from datetime import date
from pathlib import Path

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from backend.http import create_app
from keys.http import BACKEND, ISSUER, Caller
from tests.backend.conftest import World
from tests.city import VAULT_APP

EXAMPLES = 25
# What is sealed or signed, or a file of a bank, cannot be made up from a specification: these refuse what it allows.
NOT_MADE_UP = {
    "/prove", "/audit", "/balance", "/terminals/{terminal}/batches", "/terminals/{terminal}/bundle", "/bank/files",
}  # fmt: skip


def a_clearing():
    """With something in each list: taps, refusals and an approved settlement."""
    world = World(Path(tempfile.mkdtemp()))
    world.desk.load(world.holder)
    world.pool.tap(world.holder)
    world.pool.tap(world.holder, offer=99)
    world.sync()
    settlement = world.clearing.settlements.prepare(date(2026, 11, 30), "Anna")
    world.clearing.settlements.approve(settlement.number, "Bram")
    return create_app(world.config, world.clearing)


CLEARING = schemathesis.openapi.from_wsgi("/v1/openapi.json", a_clearing())
VAULT_FOR_CLEARING = schemathesis.openapi.from_wsgi("/v1/openapi.json", Caller(VAULT_APP, BACKEND))
VAULT_FOR_THE_DESK = schemathesis.openapi.from_wsgi("/v1/openapi.json", Caller(VAULT_APP, ISSUER))
OFTEN = settings(max_examples=EXAMPLES, derandomize=True, suppress_health_check=list(HealthCheck))


def nothing_is_found(case):
    case.call_and_validate(excluded_checks=[positive_data_acceptance] if case.path in NOT_MADE_UP else [])


@CLEARING.parametrize()
@OFTEN
def test_nothing_is_found_in_clearing(case):
    nothing_is_found(case)


@VAULT_FOR_CLEARING.parametrize()
@OFTEN
def test_nothing_is_found_in_the_vault_by_clearing(case):
    nothing_is_found(case)


@VAULT_FOR_THE_DESK.parametrize()
@OFTEN
def test_nothing_is_found_in_the_vault_by_the_desk(case):
    nothing_is_found(case)
