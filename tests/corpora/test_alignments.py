"""Files of aligners: what is written comes back, other programs read the same, and theirs are read as they say."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from praatio import textgrid as praatio
from praatio.utilities import constants

from phonoscope.core.errors import UsageError
from phonoscope.core.phones import Alignment, Interval, viseme_rows
from phonoscope.corpora.alignments import FORMATS, WRITERS, read_alignment, read_alignments, write_alignment
from phonoscope.corpora.alignments.reading import Kind

few = settings(max_examples=30)  # each writes files
HALF_A_UNIT_S = {".textgrid": 0.0, ".lab": 0.5e-7, ".ctm": 0.5e-6, ".phn": 0.5 / 16000, ".wrd": 0.5 / 16000}
PHONES = st.sampled_from(["AA1", "B", "HH", "IY0", "NG", "ZH"])
WORDS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=8).filter(str.isalnum)
SENTENCES = st.text(st.sampled_from('a "<!>=1.5s\n[]é你'), min_size=1).map(str.strip).filter(bool)


TIMES = st.integers(0, 10**10).map(lambda place: place / 3e6)  # s, on nobody's grid


@st.composite
def tiers(draw, texts) -> tuple[Interval, ...]:
    edges = draw(st.lists(TIMES, unique=True, max_size=8).map(sorted))
    edges = [edge for edge, after in zip(edges, [*edges[1:], 1e9], strict=False) if after - edge > 1e-3]
    pairs = [pair for pair in pairwise(edges) if draw(st.booleans())]
    return tuple(Interval(start, stop, draw(texts)) for start, stop in pairs)


@st.composite
def alignments(draw, words=WORDS) -> Alignment:
    phones, said = draw(tiers(PHONES)), draw(tiers(words))
    stops = [tier[-1].stop_s for tier in (phones, said) if tier]
    duration_s = max([*stops, draw(TIMES)])
    return Alignment(phones=phones, words=said, speaker=draw(st.sampled_from(["", "ana"])), duration_s=duration_s)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("alignments")


def kind_of(path: Path) -> Kind:
    return "words" if path.suffix == ".wrd" else "phones"


@pytest.mark.parametrize("suffix", WRITERS)
@few
@given(given_=alignments())
def test_read_then_write_then_read_changes_nothing(folder, suffix, given_):
    path = folder / f"a{suffix}"
    write_alignment(given_, path)
    once = read_alignment(path, kind=kind_of(path))
    write_alignment(once, path)
    text = path.read_bytes()
    assert read_alignment(path, kind=kind_of(path)) == once
    write_alignment(once, path)
    assert path.read_bytes() == text


@few
@given(given_=alignments(SENTENCES))
def test_a_textgrid_holds_all_that_is_written_into_it(folder, given_):
    write_alignment(given_, folder / "b.TextGrid")
    back = read_alignment(folder / "b.TextGrid")
    if not given_.phones and not given_.words:
        assert back.duration_s == given_.duration_s
        return
    assert back == given_


@pytest.mark.parametrize("suffix", WRITERS)
@few
@given(given_=alignments())
def test_times_move_by_half_a_unit_at_most(folder, suffix, given_):
    path = folder / f"c{suffix}"
    write_alignment(given_, path, "" if suffix == ".textgrid" else kind_of(path))
    back = read_alignment(path, kind=kind_of(path))
    wrote, read = (given_.words, back.words) if suffix == ".wrd" else (given_.phones, back.phones)
    assert [it.text for it in read] == [it.text for it in wrote]
    for ours, theirs in zip(wrote, read, strict=True):
        for here, there in ((ours.start_s, theirs.start_s), (ours.stop_s, theirs.stop_s)):
            assert abs(here - there) <= HALF_A_UNIT_S[suffix] + 1e-9
    if suffix in (".textgrid", ".lab", ".phn") and wrote:
        assert abs(back.duration_s - given_.duration_s) <= HALF_A_UNIT_S[suffix] + 1e-9, "silence at the end is kept"


@few
@given(given_=alignments())
def test_praatio_reads_the_same_from_a_textgrid(folder, given_):
    if not given_.phones:
        return
    write_alignment(given_, folder / "d.TextGrid")
    theirs = praatio.openTextgrid(str(folder / "d.TextGrid"), includeEmptyIntervals=False)
    name = "ana - phones" if given_.speaker else "phones"
    said = [Interval(*it) for it in theirs.getTier(name).entries]
    assert tuple(said) == given_.phones and theirs.maxTimestamp == max(
        [given_.duration_s, *(it.stop_s for it in given_.words)]
    )


@pytest.mark.parametrize("layout", ["long_textgrid", "short_textgrid"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_praatio_writes_is_read_in_either_layout_and_encoding(tmp_path, layout, encoding):
    said = [(0.1, 0.25, "ʃ"), (0.25, 0.5, 'say "ah" ! <x>'), (0.75, 1.0, "7")]
    grid = praatio.Textgrid()
    grid.addTier(praatio.PointTier("clicks", [constants.Point(0.3, "click")], 0, 1.5))
    grid.addTier(praatio.IntervalTier("Phones", [constants.Interval(*it) for it in said], 0, 1.5))
    grid.save(str(tmp_path / "x.TextGrid"), layout, includeBlankSpaces=True)
    text = (tmp_path / "x.TextGrid").read_text(encoding="utf-8")
    (tmp_path / "x.TextGrid").write_text(text, encoding=encoding)
    back = read_alignment(tmp_path / "x.TextGrid")
    assert back.phones == tuple(Interval(*it) for it in said) and back.duration_s == 1.5 and not back.words


def write(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


TWO_SPEAKERS = """File type = "ooTextFile"
Object class = "TextGrid"
0 2 <exists> 3 ! ana speaks first
"IntervalTier" "ana - words" 0 2 2  0 1 "hi"  1 2 ""
"IntervalTier" "ana - phones" 0 2 3  0 0.5 "HH"  0.5 1 "AY1"  1 2 "sil"
"IntervalTier" "ben - words" 0 2 2  0 1 "<eps>"  1 2 "ho"
"""


def test_speakers_of_an_aligner_are_told_apart(tmp_path):
    path = write(tmp_path, "talk.TextGrid", TWO_SPEAKERS)
    found = read_alignments(path)
    assert list(found) == ["ana", "ben"] and found["ben"].words == (Interval(1, 2, "ho"),)
    assert found["ana"].phones == (Interval(0, 0.5, "HH"), Interval(0.5, 1, "AY1")) and found["ana"].duration_s == 2
    assert read_alignment(path, of="ben") == found["ben"]
    with pytest.raises(UsageError, match="holds 2 sounds: say which one is meant, 'ana', 'ben'"):
        read_alignment(path)


def test_tiers_of_other_names_are_taken_when_they_are_named(tmp_path):
    path = write(tmp_path, "x.TextGrid", TWO_SPEAKERS.replace("ana - phones", "sounds").replace("ben - words", "Ben"))
    said = read_alignment(path, phones="sounds", words="Ben")
    assert [it.text for it in said.phones] == ["HH", "AY1"] and [it.text for it in said.words] == ["ho"]


def test_half_a_master_label_file_is_each_of_its_files(tmp_path):
    text = '#!MLF!#\n"*/one.lab"\n0 1000000 b\n1000000 2500000 iy -61.2\n.\n"/data/two.rec"\n0 500000 sil\n.\n'
    found = read_alignments(write(tmp_path, "all.mlf", text))
    assert found["one"].phones == (Interval(0, 0.1, "b"), Interval(0.1, 0.25, "iy"))
    assert found["two"].phones == () and found["two"].duration_s == 0.05


def test_labels_without_ends_last_until_the_next(tmp_path):
    path = write(tmp_path, "x.lab", "0 sil\n1000000 b\n2000000 4000000 iy\n")
    assert read_alignment(path).phones == (Interval(0.1, 0.2, "b"), Interval(0.2, 0.4, "iy"))


def test_of_triphones_and_full_contexts_the_middle_counts_and_states_are_joined(tmp_path):
    full = "0 10 x^x-sil+hh=iy@x_x/A:0[{}]\n"
    text = "".join(f"{n}00000 {n + 1}00000 x^sil-{p}+d=er@x/A:0-1+2[{s}]\n" for n, (p, s) in enumerate(
        [("hh", 2), ("hh", 3), ("hh", 2), ("iy", 2), ("iy", 6)]))  # fmt: skip
    read = read_alignment(write(tmp_path, "x.lab", text)).phones
    assert [(it.text, it.start_s, it.stop_s) for it in read] == [
        ("hh", 0, 0.02),
        ("hh", 0.02, 0.03),
        ("iy", 0.03, 0.05),
    ]
    assert read_alignment(write(tmp_path, "y.lab", full.format(2))).phones == ()
    tri = read_alignment(write(tmp_path, "z.lab", "0 10000 sil+hh\n10000 20000 sil-hh+iy\n20000 30000 hh-iy+d\n"))
    assert [it.text for it in tri.phones] == ["hh", "iy"]


def test_festivals_labels_end_where_the_next_one_begins(tmp_path):
    path = write(tmp_path, "x.lab", "separator ;\nnfields 1\n#\n 0.13 125 pau\n 0.205 125 hh\n 0.27 125 iy\n")
    assert read_alignment(path).phones == (Interval(0.13, 0.205, "hh"), Interval(0.205, 0.27, "iy"))


def test_a_ctm_is_read_file_by_file_and_channel_by_channel(tmp_path):
    text = ";; by hand\none 1 0.10 0.20 hello 0.9\none 1 0.30 0.25 world\ntwo A 0 1 yes\ntwo B 0.5 1 no\n"
    found = read_alignments(write(tmp_path, "x.ctm", text))
    assert list(found) == ["one", "two:A", "two:B"]
    assert found["one"].words == (Interval(0.1, 0.3, "hello"), Interval(0.3, 0.55, "world"))
    phones = read_alignment(write(tmp_path, "y.ctm", "u 1 0.0 0.1 SIL\nu 1 0.1 0.1 HH_B\nu 1 0.2 0.1 AY1_E\n"))
    assert [it.text for it in phones.phones] == ["HH", "AY1"] and not phones.words


def test_timits_words_may_share_a_sound(tmp_path):
    (said,) = read_alignments(write(tmp_path, "SA1.WRD", "0 3200 she\n2400 6400 had\n")).values()
    assert said.words == (Interval(0, 0.15, "she"), Interval(0.15, 0.4, "had"))
    phones = read_alignment(write(tmp_path, "SA1.PHN", "0 1600 h#\n1600 2400 sh\n2400 3200 iy\n3200 4000 bcl\n"))
    assert [it.text for it in phones.phones] == ["sh", "iy", "bcl"] and phones.phones[0].start_s == 0.1


def test_a_thousand_units_of_grids_are_a_frame(tmp_path):
    text = "0 23750 sil\n23750 29500 bin\n29500 34000 blue\n34000 74500 sil\n"
    said = read_alignment(write(tmp_path, "bbaf2n.align", text))
    assert said.words == (Interval(23.75 / 25, 29.5 / 25, "bin"), Interval(29.5 / 25, 34 / 25, "blue"))
    assert said.duration_s == 74.5 / 25


def test_what_lasts_no_time_is_left_out(tmp_path):
    assert read_alignment(write(tmp_path, "x.ctm", "u 1 0 0 um\nu 1 0 1 well\n")).words == (Interval(0, 1, "well"),)


REFUSED = [
    ("x.TextGrid", 'File type = "ooTextFile"\nObject class = "Pitch"\n', 'expected Object class = "TextGrid"'),
    ("x.TextGrid", TWO_SPEAKERS[:-20], "it is cut off"),
    ("x.TextGrid", TWO_SPEAKERS.replace("words", "text").replace("phones", "x"), "no tier is called phones or words; "),
    ("x.TextGrid", TWO_SPEAKERS.replace("IntervalTier", "PitchTier"), "expected a tier of intervals or of points"),
    ("x.lab", "hh\niy\n", "line 1: there is no time before 'hh'; align it"),
    ("x.lab", "0 hh\n100000 iy\n", "line 2: the last label has no end"),
    ("x.ctm", "u 1 0.5 word\n", "line 1: expected file, channel, start, duration and word"),
    ("x.ctm", "u 1 nan 1 word\n", "line 1: expected a time in seconds, got 'nan'"),
    ("x.ctm", "u 1 0 1 one\nu 1 0.5 1 two\n", "overlaps the next one, 'two' at 0.5 s"),
    ("x.phn", "0 10\n", "line 1: expected start, stop and text"),
    ("x.phn", "100 0 aa\n", "before it begins"),
    ("x.phn", "-5 10 aa\n", "expected a time, got '-5'"),
    ("x.wrd", "800 900 b\n0 100 a\n", "overlaps the next one"),
    ("x.align", "0 1 2 3\n", "expected start, stop and word"),
    ("x.json", '{"words": []}', "is no JSON of pocketsphinx's"),
    ("x.matchseg", "utt S 0\n", "expected name, S, T, A and L"),
    ("x.mlf", '#!MLF!#\n0 1 a\n', "expected the name of a file"),
    ("x.srt", "1\n", "is no alignment that we know: expected .textgrid, .lab"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "said"), REFUSED)
def test_what_cannot_be_understood_is_refused_in_one_line(tmp_path, name, text, said):
    with pytest.raises(UsageError) as error:
        read_alignments(write(tmp_path, name, text))
    assert said in str(error.value) and "\n" not in str(error.value) and name in str(error.value)


def test_points_asked_for_as_phones_are_refused(tmp_path):
    text = 'File type = "ooTextFile"\nObject class = "TextGrid"\n0 1 <exists> 1 "TextTier" "ph" 0 1 1 0.5 "aa"'
    with pytest.raises(UsageError, match="the tier 'ph' holds points, which last no time"):
        read_alignment(write(tmp_path, "x.TextGrid", text), phones="ph")
    with pytest.raises(UsageError, match=r"no tier called 'pho': it has 'ph' \(points\)"):
        read_alignment(write(tmp_path, "x.TextGrid", text), phones="pho")


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "x.TextGrid").write_bytes(b"ooBinaryFile\x08TextGrid")
    with pytest.raises(UsageError, match="save it there as a text file"):
        read_alignment(tmp_path / "x.TextGrid")
    (tmp_path / "x.lab").write_bytes(b"\x80\x81\x82")
    with pytest.raises(UsageError, match="neither UTF-8 nor UTF-16"):
        read_alignment(tmp_path / "x.lab")
    with pytest.raises(UsageError, match="cannot be read"):
        read_alignment(tmp_path / "none.lab")


def test_content_counts_more_than_a_name(tmp_path):
    assert read_alignment(write(tmp_path, "x.txt", TWO_SPEAKERS), of="ana").words[0].text == "hi"


def test_what_a_format_cannot_hold_is_refused(tmp_path):
    said = Alignment(words=(Interval(0, 1, "of a"),))
    for suffix in (".lab", ".ctm", ".wrd"):
        with pytest.raises(UsageError, match="cannot hold 'of a': spaces set its columns apart"):
            write_alignment(said, tmp_path / f"x{suffix}")
    with pytest.raises(UsageError, match="expected a name that ends in"):
        write_alignment(said, tmp_path / "x.srt")
    assert list(tmp_path.iterdir()) == []


def test_every_format_that_is_written_is_read():
    assert set(WRITERS) <= set(FORMATS)


@pytest.mark.real
def test_states_of_arctic_join_to_its_phones(shared_data):
    phones = read_alignment(shared_data / "d_alignment" / "arctic_a0009_phone.lab")
    assert phones == read_alignment(shared_data / "d_alignment" / "arctic_a0009_state.lab")
    assert [it.text for it in phones.phones[:5]] == ["hh", "iy", "t", "er", "n"] and len(phones.phones) == 38
    assert phones.phones[0] == Interval(0.13, 0.205, "hh") and phones.duration_s == 3.075
    assert len(set(viseme_rows(phones, 308))) > 8


@pytest.mark.real
def test_pocketsphinx_says_the_same_in_both_its_formats(shared_data):
    found = read_alignments(shared_data / "d_alignment" / "librivox_test-align.matchseg")
    assert len(found) == 5
    for name, by_words in found.items():
        both = read_alignment(shared_data / "d_alignment" / f"librivox_{name[-4:]}.phone.json")
        assert [it.text for it in both.words] == [it.text for it in by_words.words]
        apart = [abs(a.start_s - b.start_s) for a, b in zip(both.words, by_words.words, strict=True)]
        assert np.median(apart) <= 0.01 and both.alphabet == "arpabet"
        for word in both.words:
            inside = [it for it in both.phones if word.start_s - 1e-6 <= it.start_s < word.stop_s - 1e-6]
            assert inside and inside[0].start_s == word.start_s and inside[-1].stop_s == word.stop_s


@pytest.mark.real
@pytest.mark.parametrize("name", ["praatio_bobby_phones", "praatio_bobby_words"])
def test_hand_made_textgrids_are_as_praatio_has_them(shared_data, name):
    path = shared_data / "d_alignment" / f"{name}.TextGrid"
    theirs = praatio.openTextgrid(str(path), includeEmptyIntervals=False)
    ours = read_alignment(path)
    tier = theirs.getTier("phone" if "phones" in name else "word")
    assert tuple(Interval(*it) for it in tier.entries) == (ours.phones or ours.words)
    assert ours.duration_s == theirs.maxTimestamp


@pytest.mark.real
def test_a_transcript_in_a_tier_of_its_speaker_is_read_when_it_is_named(shared_data):
    path = shared_data / "d_alignment" / "mfa_61-70968-0000.TextGrid"
    with pytest.raises(UsageError, match="it has '61'; say which one is meant, as phones='NAME' or words='NAME'"):
        read_alignment(path)
    said = read_alignment(path, words="61")
    assert said.duration_s == 4.905 and said.words[0].text.startswith("HE BEGAN A CONFUSED COMPLAINT")
