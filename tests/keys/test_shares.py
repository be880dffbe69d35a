"""Shares: any enough of them make the root, and whatever is wrong with one is named, without a word of it."""

import random
import re
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shamir_mnemonic import Share
from shamir_mnemonic.wordlist import WORDLIST

from keys.errors import ShareError
from keys.shares import Shares, share_set, split
from keys.words import WRONG

ROOT = bytes(range(32))
SHARES = split(ROOT, 3, 5)
SET = share_set(SHARES[0])
STRANGERS = split(bytes(32), 3, 5)


def typed(*shares, expected=SET):
    made = Shares(expected)
    for share in shares:
        made.add(share)
    return made


def why(action):
    """The reason of a refusal, after looking that no word of any share is in it."""
    with pytest.raises(ShareError) as refused:
        action()
    for language in ("nl", "en"):
        said = set(refused.value.words(language).lower().replace(".", " ").replace(",", " ").split())
        # Words of the list that the sentences themselves are made of tell nothing.
        spoken = {word for text in WRONG[refused.value.reason].values() for word in text.lower().split()}
        assert not (said - {word.strip(".,") for word in spoken}) & set(WORDLIST)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__ or refused.value.__context__ is None
    return refused.value.reason


@pytest.mark.parametrize(("needed", "custodians"), [(2, 3), (3, 5), (7, 7), (1, 1)])
def test_any_enough_of_the_shares_make_the_root_and_fewer_do_not(needed, custodians):
    shares = split(ROOT, needed, custodians)
    assert {len(share.split()) for share in shares} == {33}
    for chosen in combinations(shares, needed):
        assert typed(*chosen, expected=None).root() == ROOT
        assert why(typed(*chosen[1:], expected=None).root) == "too_few"
    assert typed(*shares, expected=None).root() == ROOT


def test_a_share_says_its_number_and_how_many_are_missing():
    shares = Shares(SET)
    assert shares.missing is None
    assert [shares.add(SHARES[number]) for number in (4, 0, 2)] == [5, 1, 3]
    assert shares.missing == 0


@pytest.mark.parametrize(
    "write",
    [
        str.upper,
        lambda share: "  " + share.replace(" ", "\n  ") + "\n",
        lambda share: " ".join(word[:4] for word in share.split()),
        lambda share: " ".join(f"{number}. {word}" for number, word in enumerate(share.split(), 1)),
        lambda share: " ".join(f"{number} {word}" for number, word in enumerate(share.split(), 1)),
        lambda share: " ".join(f"{number}.{word}" for number, word in enumerate(share.split(), 1)),
        lambda share: share.replace(" ", ", "),
    ],
    ids=["capitals", "lines", "four letters", "numbers with dots", "numbers", "numbers without a space", "commas"],
)
def test_a_share_may_be_typed_as_people_type(write):
    assert typed(*map(write, SHARES[:3])).root() == ROOT


def test_too_few_or_too_many_words():
    words = SHARES[0].split()
    for wrong in (words[:-1], [*words, words[0]], []):
        assert why(lambda wrong=wrong: typed(" ".join(wrong))) == "length"


def test_a_word_that_is_not_in_the_list_is_named_by_its_place():
    words = SHARES[0].split()
    for at in range(33):
        for wrong in ("zzzz", words[at] + "x", words[at][:3]):
            if any(word == wrong for word in WORDLIST):
                continue
            text = " ".join([*words[:at], wrong, *words[at + 1 :]])
            with pytest.raises(ShareError, match=f"^Word {at + 1} "):
                typed(text)


def test_every_wrong_word_and_every_swap_is_noticed():
    words, chance = SHARES[0].split(), random.Random(4)
    for at in range(33):
        other = chance.choice([word for word in WORDLIST if word != words[at]])
        wrong = [*words[:at], other, *words[at + 1 :]]
        assert why(lambda wrong=wrong: typed(" ".join(wrong))) == "checksum"
    for first, second in combinations(range(33), 2):
        if words[first] != words[second]:
            swapped = list(words)
            swapped[first], swapped[second] = swapped[second], swapped[first]
            assert why(lambda swapped=swapped: typed(" ".join(swapped))) == "checksum"


def test_a_share_of_another_set_is_told_from_a_typo():
    assert why(lambda: typed(STRANGERS[0])) == "set"
    assert why(lambda: typed(SHARES[0], STRANGERS[0], expected=None)) == "mixed_sets"


def test_the_shares_of_one_root_have_a_number_in_common_that_those_of_another_do_not_have():
    assert {share_set(share) for share in SHARES} == {SET}
    assert share_set(STRANGERS[0]) != SET


def test_a_refusal_says_of_which_sets_shares_are_and_how_many_are_still_needed():
    of_two_sets = Shares()
    of_two_sets.add(SHARES[0])
    for refused, said in (
        (lambda: of_two_sets.add(STRANGERS[0]), f"of set {share_set(STRANGERS[0])}, and .* of set {SET}\\."),
        (typed(SHARES[0]).root, "needed: 2\\."),
        (Shares().root, "needed: \\?\\."),
    ):
        with pytest.raises(ShareError, match=said):
            refused()


def test_the_same_share_twice_counts_once():
    shares = typed(SHARES[1])
    assert why(lambda: shares.add(SHARES[1])) == "twice"
    assert shares.missing == 2


def test_shares_with_one_set_number_that_were_not_made_together():
    def forged(share, **changes):
        made = Share.from_mnemonic(share)
        fields = (
            {**made.__dict__} if hasattr(made, "__dict__") else {name: getattr(made, name) for name in made._fields}
        )
        return Share(**{**fields, **changes}).mnemonic()

    other_threshold = forged(STRANGERS[0], identifier=SET, member_threshold=2)
    assert why(lambda: typed(SHARES[1], other_threshold)) == "apart"
    other_value = [forged(share, identifier=SET) for share in STRANGERS]
    assert why(typed(SHARES[0], SHARES[1], other_value[2]).root) == "apart"


def test_what_is_refused_changes_nothing():
    shares = typed(SHARES[0], SHARES[1])
    for wrong in ("", STRANGERS[0], SHARES[0], SHARES[2].replace(" ", " zzzz ", 1)):
        with pytest.raises(ShareError):
            shares.add(wrong)
    assert shares.missing == 1
    shares.add(SHARES[2])
    assert shares.root() == ROOT


def test_all_combinations_are_tried_and_one_that_differs_is_refused(monkeypatch):
    assert typed(*SHARES).check_all() == 10
    assert typed(*SHARES[:3]).check_all() == 1
    from keys import shares as module

    combined, calls = module._combined, []

    def one_differs(chosen):
        calls.append(chosen)
        return bytes(32) if len(calls) == 7 else combined(chosen)

    monkeypatch.setattr(module, "_combined", one_differs)
    assert why(typed(*SHARES).check_all) == "different"


@given(st.sampled_from(SHARES + STRANGERS), st.randoms(use_true_random=False))
def test_no_mistake_tells_a_word_of_a_share(share, chance):
    """Whatever is done to a share: what is said is the sentence for it, and next to that only numbers."""
    words = share.split()
    at = chance.randrange(33)
    wrong = chance.choice(
        [
            words[:at] + words[at + 1 :],
            [*words, words[at]],
            [*words[:at], words[at] + "s", *words[at + 1 :]],
            [*words[:at], chance.choice([word for word in WORDLIST if word != words[at]]), *words[at + 1 :]],
            STRANGERS[0].split(),
            SHARES[1].split(),
        ]
    )
    with pytest.raises(ShareError) as refused:
        typed(SHARES[1], " ".join(wrong))
    for language in ("nl", "en"):
        sentence = re.escape(WRONG[refused.value.reason][language])
        assert re.fullmatch(re.sub(r"\\{\w+\\}", r"\\d+", sentence), refused.value.words(language))


@given(st.text(max_size=300))
def test_whatever_is_typed_is_a_share_or_a_named_mistake(text):
    with pytest.raises(ShareError):
        typed(text)


@pytest.mark.parametrize("reason", sorted(WRONG))
def test_every_mistake_has_a_sentence_in_both_languages(reason):
    assert {"nl", "en"} == set(WRONG[reason])
    assert WRONG[reason]["nl"] != WRONG[reason]["en"]
