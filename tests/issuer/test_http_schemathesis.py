"""Schemathesis asks the desk's interface what its specification allows, and much that it does not: it finds nothing."""

from datetime import datetime, timedelta
from itertools import count

import schemathesis
from hypothesis import HealthCheck, settings

from tests.issuer.a_registry import NOON, give_pass, holder, in_memory, take
from tests.issuer.test_desk import CHILD
from tests.issuer.test_http import CODE, RIGHT, api

EXAMPLES = 50
REGISTRY = in_memory()
take(REGISTRY, [CHILD])
give_pass(REGISTRY, holder(REGISTRY, CHILD), CODE)
_days = count()


def another_day() -> datetime:
    """Nobody has to wait: whoever is wrong is so on another day."""
    return NOON + timedelta(days=next(_days))


INTERFACE = schemathesis.openapi.from_wsgi("/v1/openapi.json", api(REGISTRY, now=another_day))


@INTERFACE.parametrize()
@settings(max_examples=EXAMPLES, derandomize=True, suppress_health_check=list(HealthCheck))
def test_nothing_is_found(case):
    case.call_and_validate()


def test_an_example_of_the_specification_is_a_pass_that_is_there():
    """Or what is found above would be about refusals only."""
    fields = INTERFACE.raw_schema["components"]["schemas"]["PassBlockIn"]["properties"]
    assert {name: field["examples"] for name, field in fields.items()} == {name: [RIGHT[name]] for name in RIGHT}
