"""A pass sent by post twice (the back button) is one letter."""

import pytest
from sqlalchemy import select

from issuer.registry.tables import Message
from issuer.web.app import create_app
from tests.issuer.a_registry import give_pass, holder
from tests.issuer.web.a_counter import CHILD, CounterReader, with_counter


@pytest.fixture
def config(config):
    return with_counter(config, lambda: CounterReader(None))


@pytest.fixture
def app(config):
    return create_app(config)


def test_a_pass_sent_by_post_twice_is_one_letter(client, config):
    give_pass(config.registry, holder(config.registry, CHILD), "K7QW-M2XP", "encoded")
    clerk = client("clerk")
    for _ in range(2):
        clerk.post("/passes/K7QW-M2XP/hand-over", data={"how": "post"})
    with config.registry.transaction() as session:
        assert len(session.scalars(select(Message)).all()) == 1


def test_a_reason_that_the_page_takes_is_one_that_the_vault_takes(client, config):
    """The vault takes 200 characters; after the approval nobody can ask again with a shorter one."""
    give_pass(config.registry, holder(config.registry, CHILD), "K7QW-M2XP", "blocked")
    answer = client("clerk").post("/passes/K7QW-M2XP/lost/balance", data={"reason": "x" * 201})
    assert answer.status_code == 400
