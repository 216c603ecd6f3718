"""Texts found in sounds: the likeliest way to say all their words in order."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.core.errors import UsageError
from phonoscope.core.phones import Alignment, Interval, viseme_rows
from phonoscope.core.visemes import SILENCE, VISEMES, of_arpabet, track_of
from phonoscope.corpora.alignments import read_alignment
from phonoscope.data import viseme_text as module
from phonoscope.data.pronouncing import MOST_WAYS, pronounced, read_dictionary, words_of
from phonoscope.data.viseme_formats import FORMATS
from phonoscope.data.viseme_text import NOISE, align, best_path, forced, sound_scores, text_grid, way_of

PHONES = ("P", "F", "T", "S", "AA", "IY", "UW", "HH")
ways = st.lists(st.lists(st.lists(st.sampled_from(PHONES), min_size=1, max_size=3).map(tuple), max_size=2), min_size=1)
texts = ways.filter(lambda words: 0 < len(words) <= 4)


def rows_of(count: int, seed: int) -> np.ndarray:
    """Random probabilities, (count, 15) float32."""
    return np.random.default_rng(seed).dirichlet(np.full(15, 0.3), count).astype(np.float32)


def least_rows(words: list) -> int:
    return sum(3 * min([len(way) for way in word] or [1]) for word in words)


@given(words=texts, more=st.integers(0, 40), seed=st.integers(0, 99))
def test_every_word_is_said_once_in_order_in_one_of_its_ways_and_every_phone_for_30_ms(words, more, seed):
    count = least_rows(words) + more
    named = [f"w{number}" for number in range(len(words))]
    said = align(rows_of(count, seed), named, words)
    assert [word.text for word in said.words] == named
    for word, known in zip(said.words, words, strict=True):
        inside = [phone for phone in said.phones if word.start_s <= phone.start_s < word.stop_s]
        assert tuple(phone.text for phone in inside) in (known or [(NOISE,)])
        assert (inside[0].start_s, inside[-1].stop_s) == (word.start_s, word.stop_s)
        assert all(before.stop_s == after.start_s for before, after in pairwise(inside))
    assert all(round((phone.stop_s - phone.start_s) * 100) >= 3 for phone in said.phones)
    gaps = [0.0, *(time for word in said.words for time in (word.start_s, word.stop_s)), count / 100]
    lengths = [round((stop - start) * 100) for start, stop in zip(gaps[::2], gaps[1::2], strict=True)]
    assert all(length == 0 or length >= 3 for length in lengths), "silence too lasts 30 ms"
    assert said.duration_s == count / 100


@given(words=texts, more=st.integers(0, 30), seed=st.integers(0, 99))
def test_no_legal_path_scores_more(words, more, seed):
    random = np.random.default_rng(seed)
    scores = sound_scores(rows_of(least_rows(words) + more, seed))
    way = way_of(words)
    best = scores[np.arange(len(scores)), way.columns[best_path(way, scores)]].sum()
    ends = set(way.last.tolist())
    left = least_left(way)
    for _ in range(20):
        path = [int(random.choice([state for state in way.first if left[state] <= len(scores)]))]
        for t in range(1, len(scores)):
            after = [s for s in range(len(way.columns)) if path[-1] in way.before[s] and left[s] <= len(scores) - t]
            path.append(int(random.choice(after)))
        assert path[-1] in ends
        assert scores[np.arange(len(scores)), way.columns[path]].sum() <= best + 1e-3


def least_left(way) -> list[int]:
    """Rows from each state to an end, itself among them."""
    ends = set(way.last.tolist())
    left = [1 if state in ends else 10**6 for state in range(len(way.columns))]
    for state in reversed(range(len(left))):
        for before in way.before[state]:
            if before < len(left) and before != state:
                left[before] = min(left[before], left[state] + 1)
    return left


def test_what_is_plain_is_found_to_the_row():
    truth = [("sil", 20), ("PP", 8), ("aa", 15), ("nn", 6), ("sil", 12), ("TH", 7), ("ih", 9), ("SS", 14), ("sil", 5)]
    values = np.concatenate([np.full(count, VISEMES.index(name)) for name, count in truth])
    rows = np.full((len(values), 15), 0.01, np.float32)
    rows[np.arange(len(values)), values] = 0.86
    said = align(rows, ["pun", "this"], [[("P", "AH1", "N")], [("DH", "IH1", "S"), ("DH", "UH0", "S")]])
    assert said.words == (Interval(0.2, 0.49, "pun"), Interval(0.61, 0.91, "this"))
    assert [phone.text for phone in said.phones] == ["P", "AH1", "N", "DH", "IH1", "S"]
    np.testing.assert_array_equal(viseme_rows(said, len(rows)), values)


def test_the_way_that_is_heard_is_taken():
    rows = np.full((30, 15), 0.01, np.float32)
    rows[:, VISEMES.index("ih")] = 0.86
    said = align(rows, ["either"], [[("AY1",), ("IY1",), ("UW1",)]])
    assert [phone.text for phone in said.phones] == ["IY1"]


def test_an_unknown_word_is_shown_as_it_is_heard():
    rows = np.full((40, 15), 0.01, np.float32)
    rows[:20, VISEMES.index("FF")] = rows[20:, VISEMES.index("aa")] = 0.86
    said = align(rows, ["frrp", "ah"], [[], [("AA1",)]])
    assert said.phones == (Interval(0.0, 0.2, NOISE), Interval(0.2, 0.4, "AA1"))
    weights = forced(rows, said)
    np.testing.assert_array_equal(weights[:20], rows[:20])
    np.testing.assert_array_equal(weights[20:].argmax(1), VISEMES.index("aa"))
    assert weights[20:].max() == 1


@given(seed=st.integers(0, 20))
def test_following_only_what_is_likely_finds_the_same_in_plain_speech(seed):
    random = np.random.default_rng(seed)
    words = [[tuple(random.choice(PHONES[:-1], 3).tolist())] for _ in range(40)]
    values = np.repeat([of_arpabet(phone) for (way,) in words for phone in way], random.integers(3, 12, 120))
    rows = 0.3 * rows_of(len(values), seed)
    rows[np.arange(len(values)), values] += 0.7
    whole = align(rows, ["w"] * 40, words)
    exact, module.EXACT = module.EXACT, 0
    try:
        assert align(rows, ["w"] * 40, words) == whole
    finally:
        module.EXACT = exact


def test_a_text_that_is_too_long_is_refused():
    with pytest.raises(UsageError, match=r"the text does not fit: it has 3 words, the sound lasts 0\.10 s"):
        align(rows_of(10, 0), ["a", "b", "c"], [[("P", "AA")]] * 3)
    with pytest.raises(UsageError, match="the text has no words"):
        align(rows_of(10, 0), [], [])


def test_a_text_grid_holds_three_tiers_and_its_visemes_come_back(tmp_path):
    said = Alignment(phones=(Interval(0.1, 0.2, "P"),), words=(Interval(0.1, 0.2, 'p "p"'),), duration_s=0.3)
    track = track_of(np.repeat([SILENCE, 1, SILENCE], 10))
    (tmp_path / "a.TextGrid").write_text(text_grid(track, said))
    assert (tmp_path / "a.TextGrid").read_text().count("class =") == 4
    back = FORMATS["textgrid"].read((tmp_path / "a.TextGrid").read_text())
    np.testing.assert_array_equal(back.per_row(), track.per_row())
    assert read_alignment(tmp_path / "a.TextGrid").words == said.words


def test_dictionaries_are_read_as_cmu_and_as_nltk_have_them(tmp_path):
    (tmp_path / "cmu").write_text(";;; words\nHELLO  HH AH0 L OW1\nHELLO(1)  HH EH0 L OW1 # x\nbob B AA1 B\n")
    (tmp_path / "nltk").write_text("HELLO 1 HH AH0 L OW1\nHELLO 2 HH EH0 L OW1\nBOB 1 B AA1 B\n")
    both = read_dictionary(tmp_path / "cmu")
    assert both == read_dictionary(tmp_path / "nltk")
    assert both["hello"] == (("HH", "AH0", "L", "OW1"), ("HH", "EH0", "L", "OW1"))


@pytest.mark.parametrize(
    ("content", "said"),
    [("HELLO\n", "line 1 has no phones"), ("A AH0\nB QQ\n", "line 2 has 'QQ'"), (";;; x\n", "it has no words")],
)
def test_what_is_no_dictionary_is_refused(content, said, tmp_path):
    (tmp_path / "d").write_text(content)
    with pytest.raises(UsageError, match=said):
        read_dictionary(tmp_path / "d")


def test_a_dictionary_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        read_dictionary(tmp_path / "none")


def test_words_are_looked_up_as_people_write_them():
    known = {"don't": (("D",),), "well": (("W",),), "read": (("R",), ("L",)), "u.s.": (("Y",),), "bobs'": (("B",),)}
    words = words_of("Don’t – “well-read”, U.S. bobs' (42)!")
    assert words == ["Don’t", "well-read", "U.S", "bobs'", "42"]
    assert pronounced(words, known) == [(("D",),), (("W", "R"), ("W", "L")), (("Y",),), (("B",),), ()]


def test_a_stutter_has_no_more_ways_than_can_be_followed():
    known = {"the": (("DH", "AH0"), ("DH", "AH1"), ("DH", "IY0")), "a": (("AH0",), ("EY1",))}
    for word in ("-".join(["the"] * 30), "-".join(["a", "the"] * 9)):
        (ways,) = pronounced([word], known)
        assert 1 < len(ways) <= MOST_WAYS
        assert len({len(way) for way in ways}) == 1, "each says all parts"
    said = align(rows_of(400, 0), [word], [ways])
    assert tuple(phone.text for phone in said.phones) in ways


@pytest.mark.real
def test_words_read_aloud_are_found(shared_data: Path):
    """Labels are those of an aligner, not of people; the network has not heard these readers."""
    from phonoscope.media.sound import read_sound
    from phonoscope.models.registry import choose, load
    from phonoscope.steps.visemes import SAMPLE_RATE

    scorer = load(choose("viseme_scorer"))
    known = read_dictionary(shared_data / "c_annotations" / "cmudict.zip")
    errors = []
    for path in sorted((shared_data / "d_alignment").glob("librivox_*.phone.json")):
        truth = read_alignment(path)
        sound = np.concatenate([*read_sound(path.with_name(path.name.replace(".phone.json", ".wav")), SAMPLE_RATE)])
        words = [word.text.split("(")[0] for word in truth.words]
        said = align(scorer(sound), words, pronounced(words, known))
        for true, found in zip(truth.words, said.words, strict=True):
            errors += [abs(true.start_s - found.start_s), abs(true.stop_s - found.stop_s)]
    assert len(errors) > 100
    assert float(np.median(errors)) <= 0.03 and float(np.quantile(errors, 0.9)) <= 0.1
