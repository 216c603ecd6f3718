"""Phones as visemes, row by row."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.core.errors import UsageError
from phonoscope.core.phones import Alignment, Interval, alphabet_of, viseme_of_arpabet, viseme_rows
from phonoscope.core.visemes import ARPABET, NOT_SCORED, SILENCE, VISEMES, of_arpabet

KNOWN = sorted(ARPABET.keys() - {"SPN"})  # a noise: somebody says something


def named(rows: np.ndarray) -> list[str]:
    return ["-" if row == NOT_SCORED else VISEMES[row] for row in rows]


def alignment(*phones: tuple[float, float, str], alphabet: str = "arpabet") -> Alignment:
    return Alignment(phones=tuple(Interval(*it) for it in phones), alphabet=alphabet)


@given(st.lists(st.sampled_from(KNOWN)), st.lists(st.integers(0, 60), min_size=20, max_size=20))
def test_every_row_has_the_viseme_of_the_phone_that_is_said_in_its_middle(phones, lengths):
    edges = np.cumsum([0, *lengths])
    said = alignment(*((a / 1000, b / 1000, phone) for phone, a, b in zip(phones, edges, edges[1:], strict=False)))
    rows = viseme_rows(said, 150)
    for row in range(150):
        middle = row * 10 + 5  # ms
        here = [phone.text for phone in said.phones if phone.start_s * 1000 <= middle < phone.stop_s * 1000]
        assert rows[row] == (of_arpabet(here[0]) if here else SILENCE)


def test_gaps_and_what_follows_are_silence():
    said = alignment((0.0, 0.02, "P"), (0.04, 0.05, "AA1"))
    assert named(viseme_rows(said, 7)) == ["PP", "PP", "sil", "sil", "aa", "sil", "sil"]


def test_other_rates_mean_the_same_time():
    said = alignment((0.0, 0.4, "M"), (0.4, 1.0, "OW0"))
    assert named(viseme_rows(said, 5, Fraction(5))) == ["PP", "PP", "oh", "oh", "oh"]


def test_what_has_no_shape_of_its_own_is_not_scored():
    said = alignment((0.0, 0.01, "HH"), (0.01, 0.02, "spn"), (0.02, 0.03, "+NSN+"))
    assert named(viseme_rows(said, 3)) == ["-", "-", "-"]


def test_closures_of_timits_are_those_of_the_lips_and_tongue():
    said = alignment((0.0, 0.01, "bcl"), (0.01, 0.02, "b"), (0.02, 0.03, "tcl"), (0.03, 0.04, "h#"), (0.04, 0.05, "q"))
    assert named(viseme_rows(said, 5)) == ["PP", "PP", "DD", "sil", "-"]


def test_kaldis_word_positions_change_nothing():
    assert viseme_of_arpabet("AH0_B") == of_arpabet("AH")


def test_ipa_and_arpabet_agree_on_english():
    ipa = alignment((0.0, 0.01, "tʃ"), (0.01, 0.02, "ˈɑː"), (0.02, 0.03, "q"), (0.03, 0.04, "spn"), alphabet="ipa")
    arpabet = alignment((0.0, 0.01, "CH"), (0.01, 0.02, "AA1"), (0.02, 0.03, "K"), (0.03, 0.04, "SPN"))
    assert np.array_equal(viseme_rows(ipa, 4), viseme_rows(arpabet, 4))


def test_a_phone_that_nobody_knows_is_named_with_its_alphabet():
    with pytest.raises(UsageError, match=r"no viseme for the phone 'PT' at 0\.50 s: the alphabet 'arpabet'"):
        viseme_rows(alignment((0.5, 0.6, "PT")), 100)
    with pytest.raises(UsageError, match="no map of the alphabet 'sampa'"):
        viseme_rows(alignment((0.5, 0.6, "p"), alphabet="sampa"), 100)


def test_the_alphabet_is_the_one_that_knows_more():
    assert alphabet_of(["B", "AA1", "PT"]) == "arpabet" and alphabet_of(["b", "ɑː", "p"]) == "ipa"
    assert alphabet_of([]) == "arpabet"
