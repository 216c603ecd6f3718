"""Speech whose truth is known: what the library says of its sound is what is heard in it."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.core.errors import UsageError
from phonoscope.core.phones import Alignment, Interval, unknown, viseme_rows
from phonoscope.core.visemes import NOT_SCORED, SILENCE
from phonoscope.corpora.alignments import read_alignment
from phonoscope.data.espeak import SAMPLE_RATE, SpeakParams, speak, speak_all, speaking, texts_of, voices
from phonoscope.data.espeak.truth import aligned

SENTENCES = {
    "en-us": "Hello, Bob: a map of happy people! It's 25 pounds, a well-known copper ship.",
    "en-us+f3": "Hello, Bob: a map of happy people! It's 25 pounds, a well-known copper ship.",
    "de": "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich, bitte keine Pappe.",
    "fr": "Portez ce vieux whisky au juge blond qui fume. Un bon vin blanc, un peu après.",
    "es": "El veloz murciélago hindú comía feliz cardillo y kiwi, un poco de sopa.",
    "it": "Pranzo d'acqua fa volti sghembi, ciao bella. Una coppa per il papa.",
    "pt": "Um pequeno jabuti xereta viu dez cegonhas felizes, pai e mãe.",
    "pl": "Zażółć gęślą jaźń, proszę pana.",
    "ru": "Съешь же ещё этих мягких французских булок, да выпей чаю.",
    "el": "Καλημέρα, πώς είστε; Θέλω ψωμί.",
    "tr": "Pijamalı hasta yağız şoföre çabucak güvendi.",
    "ar": "صباح الخير، كيف حالك اليوم؟",
    "he": "שלום, מה שלומך?",
    "hi": "नमस्ते, आप कैसे हैं? मैं भारत में रहता हूँ।",
    "cmn": "你好，我们今天去北京吃饭，朋友们都很高兴。",
    "ja": "こんにちは、わたしはにほんごをべんきょうします。",
    "ko": "안녕하세요, 반갑습니다. 오늘 날씨가 좋네요.",
    "vi": "Xin chào, tôi muốn ăn phở bò.",
    "sw": "Habari ya asubuhi, ninapenda kupika mboga.",
    "fi": "Hyvää huomenta, pöytä on täynnä.",
}


@pytest.fixture(scope="module")
def espeak() -> None:
    try:
        speaking._library()
    except UsageError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def spoken(espeak) -> dict[str, tuple[np.ndarray, Alignment]]:
    return {voice: speak(text, voice) for voice, text in SENTENCES.items()}


def part(audio: np.ndarray, start_s: float, stop_s: float) -> np.ndarray:
    return audio[round(start_s * SAMPLE_RATE) : round(stop_s * SAMPLE_RATE)]


def rms(audio: np.ndarray) -> float:
    return float(np.sqrt(np.mean(audio.astype(np.float64) ** 2)))


def heard(audio: np.ndarray, said: Alignment) -> float:
    """How loud the phones are, all in all."""
    return rms(np.concatenate([part(audio, it.start_s, it.stop_s) for it in said.phones]))


# What is made of what the library tells


def hum(*lengths: int) -> np.ndarray:
    """Sound and silence by turns, (N,) int16, sound first."""
    return np.concatenate([np.full(n, 1000 * (place % 2 == 0), np.int16) for place, n in enumerate(lengths)])


def test_a_stop_begins_with_its_closure():
    said = aligned([(0, 1, None), (0, 1, "a"), (150, 1, "p"), (180, 1, "i")], hum(100, 50, 50), 100, "api")
    assert said.phones == (Interval(0, 1, "a"), Interval(1, 1.8, "p"), Interval(1.8, 2, "i"))
    assert said.words == (Interval(0, 2, "api"),) and said.duration_s == 2 and said.alphabet == "ipa"


def test_a_pause_is_a_gap_and_swallows_the_silent_end_before_it():
    said = aligned(
        [(0, 1, None), (0, 1, "a"), (110, 1, ""), (150, 3, None), (150, 3, "i")], hum(100, 50, 50), 100, "a i"
    )
    assert said.phones == (Interval(0, 1, "a"), Interval(1.5, 2, "i"))
    assert [it.text for it in said.words] == ["a", "i"]


def test_a_sound_without_a_name_is_part_of_the_phone_before():
    said = aligned([(0, 1, None), (0, 1, "t"), (50, 1, ""), (80, 1, "r"), (90, 1, "ː")], hum(200), 100, "tr")
    assert said.phones == (Interval(0, 0.8, "t"), Interval(0.8, 2, "rː"))


def test_a_glide_by_itself_is_one():
    said = aligned([(0, 1, None), (0, 1, "p"), (50, 1, "ʲ"), (80, 1, "a")], hum(100), 100, "pa")
    assert [it.text for it in said.phones] == ["p", "j", "a"]


def test_names_of_the_librarys_own_become_ipa_and_changes_of_language_are_no_phones():
    events = [(0, 1, None), (0, 1, "(en)"), (0, 1, "s."), (20, 1, "dZ"), (40, 1, "y:"), (60, 1, "r.")]
    assert [it.text for it in aligned(events, hum(80), 100, "x").phones] == ["ʂ", "dʒ", "yː", "ɻ"]


def test_words_stand_as_in_the_text_and_a_number_is_one():
    text = "It's 25, well-known!"
    events = [(0, 1, None), (0, 1, "ɪ"), (10, 6, None), (10, 6, "t"), (20, 7, None), (20, 7, "f")]
    events += [(30, 10, None), (30, 10, "w"), (40, 15, None), (40, 15, "n")]
    said = aligned(events, hum(50), 100, text)
    assert [it.text for it in said.words] == ["It's", "25", "well", "known"]
    assert said.words[1] == Interval(0.1, 0.3, "25")


NAMES = st.sampled_from(["a", "p", "ˈɑː", "ʲ", "ː", "", "(de)", "s."])


@given(
    st.lists(st.tuples(st.integers(0, 40), NAMES, st.booleans()), max_size=12),
    st.lists(st.integers(0, 60), min_size=1, max_size=10),
)
def test_phones_and_words_rise_do_not_overlap_and_lie_within_the_sound(steps, lengths):
    sound, events, at = hum(*lengths), [], 0
    for place, (step, name, begins) in enumerate(steps, 1):
        at = min(at + step, len(sound))
        events += [(at, place, None)] * begins + [(at, place, name)]
    said = aligned(events, sound, 100, "x y z " * 2)
    for tier in (said.phones, said.words):
        edges = [edge for it in tier for edge in (it.start_s, it.stop_s)]
        assert edges == sorted(edges) and all(it.start_s < it.stop_s and it.text for it in tier)
        assert not edges or (edges[0] >= 0 and edges[-1] <= len(sound) / 100)


# What the library says is what is heard


@pytest.mark.parametrize("voice", SENTENCES)
def test_where_nothing_is_said_it_is_silent_and_where_it_begins_it_sounds(spoken, voice):
    audio, said = spoken[voice]
    loud = heard(audio, said)
    edges = [0.0, *(edge for it in said.phones for edge in (it.start_s, it.stop_s)), said.duration_s]
    for stop_s, start_s in zip(edges[::2], edges[1::2], strict=True):
        if start_s - stop_s > 0.02:
            assert rms(part(audio, stop_s + 0.005, start_s - 0.005)) < 0.01 * loud
            if start_s < said.duration_s:
                assert rms(part(audio, start_s, start_s + 0.03)) > 0.01 * loud


@pytest.mark.parametrize("voice", SENTENCES)
def test_times_add_up_to_the_sound(spoken, voice):
    audio, said = spoken[voice]
    assert audio.dtype == np.float32 and np.abs(audio).max() <= 1
    assert said.duration_s == len(audio) / SAMPLE_RATE and said.speaker == voice
    assert said.phones[0].start_s >= 0.2 and said.phones[-1].stop_s <= said.duration_s - 0.2 + 1 / SAMPLE_RATE
    assert said.duration_s - said.phones[-1].stop_s < 0.25, "the last phone lasts to the end, but for the silence"
    for word in said.words:
        starts, stops = {it.start_s for it in said.phones}, {it.stop_s for it in said.phones}
        assert word.text and word.start_s in starts and word.stop_s in stops


@pytest.mark.parametrize("voice", SENTENCES)
def test_no_phone_is_without_a_viseme(spoken, voice):
    audio, said = spoken[voice]
    assert unknown({it.text for it in said.phones}, "ipa") == set()
    rows = viseme_rows(said, len(audio) // 160)
    assert (rows == SILENCE).mean() < 0.5 and len(set(rows) - {NOT_SCORED}) > 5


def test_the_lips_are_silent_while_they_are_closed(spoken):
    """Within speech p begins with its closure: 20 ms, of every voice, are 40 dB below it."""
    closed = []
    for audio, said in spoken.values():
        loud = heard(audio, said)
        for before, it in zip(said.phones, said.phones[1:], strict=False):
            if it.text.startswith("p") and before.stop_s == it.start_s:
                closed.append(rms(part(audio, it.start_s + 0.001, it.start_s + 0.02)) < 0.01 * loud)
    assert len(closed) >= 30 and np.mean(closed) >= 0.9


def test_the_same_text_sounds_the_same_whoever_asks_and_how_many(espeak):
    def sound(_: int) -> str:
        audio, said = speak("Hello, Bob: a map.", "en-us+f2")
        return hashlib.sha256(audio.tobytes() + repr(said).encode()).hexdigest()

    with ThreadPoolExecutor(3) as pool:
        assert len(set(pool.map(sound, range(4)))) == 1


def test_settings_are_heard(espeak):
    plain, slow, high = (
        speak("A map of happy people.", "de", p)
        for p in (SpeakParams(silence=0), SpeakParams(silence=0, rate=120), SpeakParams(silence=0, pitch=90))
    )
    assert len(slow[0]) > 1.2 * len(plain[0]) and not np.array_equal(high[0][:8000], plain[0][:8000])
    assert plain[1].phones[0].start_s < 0.05


def test_voices_are_named(espeak):
    there = voices()
    assert {"de", "en-us", "fr-fr", "cmn", "hi"} <= {code for code, _ in there.languages} and "f3" in there.variants
    assert speak("Bonjour", "fr-fr")[1].phones, "some languages go by the name of their file only"


@pytest.mark.parametrize(
    ("text", "voice", "said"),
    [
        ("hi", "en-uss", "no voice 'en-uss'; it has en-us"),
        (" \n", "en-us", "no text to speak"),
        ("…", "de", "says nothing"),
    ],
)
def test_what_cannot_be_spoken_is_refused_in_one_line(espeak, text, voice, said):
    with pytest.raises(UsageError, match=said) as error:
        speak(text, voice)
    assert "\n" not in str(error.value)


def test_settings_that_make_no_sense_are_refused():
    with pytest.raises(UsageError, match="rate is 80 to 450, got 500"):
        SpeakParams(rate=500)


def test_without_the_library_one_line_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(speaking, "find_spec", lambda name: None)
    monkeypatch.setattr(speaking, "find_library", lambda name: None)
    monkeypatch.setattr(speaking, "HOMEBREW", Path("/nowhere"))
    monkeypatch.setattr(speaking, "_library", speaking._library.__wrapped__)
    with pytest.raises(UsageError, match="apt install espeak-ng, brew install espeak-ng, or pip install") as error:
        speak("hi")
    assert "\n" not in str(error.value)


def test_a_library_without_data_says_where_it_looked(espeak, monkeypatch, tmp_path):
    library, _ = speaking._library()
    monkeypatch.setattr(speaking, "_library", lambda: (library, str(tmp_path)))
    with pytest.raises(UsageError, match="finds none of its data in") as error:
        speak("hi")
    assert "\n" not in str(error.value)


# Folders of it


def test_pairs_are_written_a_folder_a_voice_and_come_back(espeak, tmp_path):
    pairs = list(speak_all(["Hello, Bob.", "Two"], ["en-us", "de"], tmp_path, jobs=2))
    names = [pair.wav.relative_to(tmp_path).as_posix() for pair in pairs]
    assert names == ["en-us/0001.wav", "en-us/0002.wav", "de/0001.wav", "de/0002.wav"]
    audio, said = speak("Hello, Bob.", "en-us")
    written, rate = soundfile.read(pairs[0].wav, dtype="float32")
    assert rate == SAMPLE_RATE and np.abs(written - audio).max() <= 1 / 32768
    back = read_alignment(pairs[0].wav.with_suffix(".TextGrid"))
    assert back.phones == said.phones and back.words == said.words and back.duration_s == said.duration_s
    before = [path.read_bytes() for path in sorted(tmp_path.rglob("*.*"))]
    list(speak_all(["Hello, Bob.", "Two"], ["en-us", "de"], tmp_path))
    assert [path.read_bytes() for path in sorted(tmp_path.rglob("*.*"))] == before


def test_texts_are_taken_as_they_are_or_from_files_a_line_each(tmp_path):
    (tmp_path / "lines.txt").write_text("one\n\n two \n", encoding="utf-8")
    assert texts_of([str(tmp_path / "lines.txt"), "three four.txt"]) == ["one", "two", "three four.txt"]
    with pytest.raises(UsageError, match=r"there is no file 'nope\.txt'"):
        texts_of(["nope.txt"])
    with pytest.raises(UsageError, match="nothing to say"):
        texts_of([" "])
