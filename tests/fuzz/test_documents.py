"""Whatever people and other parties hand in is taken or refused as its reader promises: every case that is kept, and
what hypothesis makes of those."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz import documents, engines
from tests.fuzz.draw import Draw
from tests.fuzz.spoil import spoilt

# In `make test`; `make fuzz` goes on for longer.
EXAMPLES = 25
# A case of this name is a document as it should be, from which the search starts.
GOOD = "good_"
CASES = [(name, case) for name in documents.names() for case in engines.cases(name)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("documents")


@pytest.fixture(scope="module")
def readers(folder):
    return documents.Documents(folder)


@pytest.mark.parametrize(("name", "case"), CASES)
def test_a_good_document_is_taken_and_what_once_went_wrong_is_refused(readers, name, case):
    assert readers.is_taken(name, engines.cases(name)[case]) == case.startswith(GOOD)


@pytest.mark.parametrize("name", documents.names())
def test_no_document_that_hypothesis_thinks_of_brings_about_what_none_may(readers, name):
    kept = list(engines.cases(name).values())

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.sampled_from(kept), st.sampled_from(kept), st.binary(max_size=48))
    def search(document, another, choices):
        readers.is_taken(name, spoilt(Draw(choices), document, another))

    search()
