"""Files of visemes: written, read and written again they are the same; what a format holds comes back."""

import re
from fractions import Fraction
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope.core.errors import UsageError
from phonoscope.core.viseme_maps import FROM_AZURE, FROM_RHUBARB, TO_AZURE, TO_RHUBARB
from phonoscope.core.visemes import RATE, VISEMES, VisemeTrack, track_of
from phonoscope.data.viseme_curves import curves
from phonoscope.data.viseme_formats import FORMATS, read_visemes

FRAMES = [Fraction(10), Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(60), Fraction(100)]
CUES = ("oculus-json", "rhubarb-tsv", "rhubarb-json", "rhubarb-xml", "azure-json", "textgrid", "srt")
HELLO = track_of(np.repeat([0, 13, 0], [20, 30, 10]))


@st.composite
def tracks(draw, most=60) -> VisemeTrack:
    """Tracks as short as they come, down to cues of 10 ms; some with weights."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows = np.repeat(rng.integers(0, 15, 60), rng.integers(1, draw(st.sampled_from([2, 12])), 60))
    rows = rows[: draw(st.integers(0, most))]
    weights = rng.dirichlet(np.full(15, 0.2), len(rows)).astype(np.float32) if draw(st.booleans()) else None
    return track_of(rows, RATE, weights)


@settings(max_examples=1000)
@given(track=tracks(most=40), fps=st.sampled_from([None, *FRAMES]))
def test_written_read_and_written_again_is_the_same(track, fps):
    for name, form in FORMATS.items():
        text = form.write(track, "a/talk.wav", fps)
        assert form.write(form.read(text, fps), "a/talk.wav", fps) == text, name


@settings(max_examples=200)
@given(track=tracks())
def test_cues_come_back_as_far_as_the_format_tells_them_apart(track):
    rhubarb = [VISEMES.index(FROM_RHUBARB[TO_RHUBARB[VISEMES[value]]]) for value in track.per_row()]
    azure = [VISEMES.index(FROM_AZURE[TO_AZURE[VISEMES[value]]]) for value in track.per_row()]
    for name in CUES:
        wanted = rhubarb if "rhubarb" in name else azure if name == "azure-json" else track.per_row().tolist()
        assert FORMATS[name].read(FORMATS[name].write(track)).per_row().tolist() == wanted, name


@settings(max_examples=50)
@given(track=tracks(), fps=st.sampled_from(FRAMES))
def test_weights_come_back(track, fps):
    wanted = curves(track, fps)
    read = FORMATS["arkit-csv"].read(FORMATS["arkit-csv"].write(track, fps=fps), fps)
    assert read.rate == fps
    assert read.weights is not None and np.abs(read.weights[:, 1:] - wanted[:, 1:]).max(initial=0) <= 1.01e-4
    assert read.values.tolist() == [value for value, _ in groupby(read.weights.argmax(1).tolist())]
    vowels = [VISEMES.index(name) for name in ("aa", "ih", "ou", "E", "oh")]
    read = FORMATS["vrm-json"].read(FORMATS["vrm-json"].write(track, fps=fps))
    assert read.rate == fps
    assert read.weights is not None and (read.weights[:, vowels] >= wanted[:, vowels] - 1.01e-4).all()
    whole = FORMATS["oculus-json"].read(FORMATS["oculus-json"].write(track))
    assert (whole.weights is None) == (track.weights is None)
    if whole.weights is not None and track.weights is not None:
        assert np.abs(whole.weights - track.weights).max(initial=0) <= 0.51e-4


@settings(max_examples=200)
@given(track=tracks(), fps=st.sampled_from(FRAMES))
def test_moho_shows_every_closure_of_a_frame_or_longer(track, fps):
    shown = [line.split()[1] for line in FORMATS["moho-dat"].write(track, fps=fps).splitlines()[1:]]
    longest = [
        {"PP": "MBP", "FF": "FV"}[VISEMES[value]]
        for value, start, stop in zip(track.values, track.edges[:-1], track.edges[1:], strict=True)
        if VISEMES[value] in ("PP", "FF") and (stop - start) * fps >= 100
    ]
    told = iter(shown)
    assert all(drawing in told for drawing in longest)  # in this order


def test_a_track_of_nothing_stays_one():
    for name, form in FORMATS.items():
        assert form.read(form.write(track_of([]))).rows == 0, name


def test_a_track_at_another_rate_keeps_its_times():
    film = VisemeTrack(np.array([0, 12, 24, 30]), np.array([0, 10, 1], np.int8), Fraction(24))
    for name in CUES:
        read = FORMATS[name].read(FORMATS[name].write(film))
        assert (read.edges / float(read.rate)).round(2).tolist() == [0.0, 0.5, 1.0, 1.25], name


def test_rhubarbs_own_example_is_read():
    text = "0.00\tX\n0.05\tD\n0.27\tC\n0.31\tB\n0.43\tX\n0.47\tX\n"
    track = FORMATS["rhubarb-tsv"].read(text.replace("\n", "\r\n"))
    assert track.edges.tolist() == [0, 5, 27, 31, 43, 47]
    assert [VISEMES[value] for value in track.values] == ["sil", "aa", "E", "SS", "sil"]
    assert FORMATS["rhubarb-tsv"].write(track) == text


def test_azures_own_events_are_read():
    text = '[{"audioOffset": 500000, "visemeId": 12, "animation": ""}, {"audioOffset": 1234567, "visemeId": 6},'
    track = FORMATS["azure-json"].read(text + '{"audioOffset": 3000000, "visemeId": 0}]')
    assert [VISEMES[value] for value in track.values] == ["sil", "ih"]
    assert track.edges.tolist() == [0, 5, 30]  # the breath of h is shown as what follows it


@pytest.mark.parametrize(
    ("text", "shown"),
    [("1 rest\n3 MBP\n5 WQ\n9 rest\n", ["sil", "PP", "ou"]), ("1 X\n3 A\n5 E\n9 X", ["sil", "PP", "oh"])],
)
def test_moho_is_read_by_either_set_of_names(text, shown):
    track = FORMATS["moho-dat"].read("MohoSwitch1\n" + text, Fraction(25))
    assert [VISEMES[value] for value in track.values] == shown
    assert track.edges.tolist() == [0, 8, 16, 32]


def test_a_filmed_face_is_read_as_what_its_mouth_comes_near_to():
    head, *rows = FORMATS["arkit-csv"].write(HELLO, fps=Fraction(30)).splitlines()
    cells = [row.split(",")[::-1] for row in rows]
    blinking = [[*row[:-4], "0.9", *row[-3:]] for row in cells]  # eyeLookDownLeft
    text = "\r\n".join([",".join(head.lower().split(",")[::-1]), *(",".join(row) for row in blinking), ""])
    track = FORMATS["arkit-csv"].read(text, Fraction(30))
    assert [VISEMES[value] for value in track.values] == ["sil", "oh", "sil"]


def test_gaps_between_subtitles_are_silence():
    text = "\ufeff7\r\n00:00:00,100 --> 00:00:00,204\r\naa\r\n\r\n8\r\n00:00:00.500 --> 00:00:01.000\r\nPP\r\n"
    track = FORMATS["srt"].read(text)
    assert track.edges.tolist() == [0, 10, 20, 50, 100]
    assert [VISEMES[value] for value in track.values] == ["sil", "aa", "sil", "PP"]


def test_other_tiers_of_a_textgrid_are_passed_over():
    text = FORMATS["textgrid"].write(HELLO)
    head, tier = text.split("    item [1]:\n")
    other = tier.replace('"visemes"', '"words"').replace('"oh"', '"oh ""dear"""')
    both = head.replace("size = 1", "size = 2") + "    item [1]:\n" + other + "    item [2]:\n" + tier
    assert FORMATS["textgrid"].read(both).per_row().tolist() == HELLO.per_row().tolist()


@pytest.mark.parametrize("name", FORMATS)
def test_files_of_other_formats_are_refused_in_one_line(name):
    for other, form in FORMATS.items():
        if other != name:
            with pytest.raises(UsageError, match=rf"^no {name} file: [^\n]+$"):
                FORMATS[name].read(form.write(HELLO))


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("rhubarb-tsv", "", "no lines"),
        ("rhubarb-tsv", "0.00\tX\n0.10\tQ\n0.20\tX\n", "'Q' is no shape"),
        ("rhubarb-tsv", "0.30\tA\n0.10\tX\n", "times must rise from 0"),
        ("rhubarb-tsv", "0.00\tA\n9999999\tX\n", "times must rise from 0"),
        (
            "rhubarb-json",
            '{"metadata": {"duration": 1}, "mouthCues": [{"start": 0, "end": "1", "value": "A"}]}',
            r"\.end",
        ),
        ("rhubarb-xml", "<duration>1</duration><mouthCue start='0'>A</mouthCue><mouthCue >", "expected <duration>"),
        ("moho-dat", "MohoSwitch1\n3 MBP\n2 rest\n", "times must rise"),
        ("moho-dat", "MohoSwitch1\n1 smile\n", "'smile' is no drawing"),
        ("azure-json", '[{"audioOffset": 0, "visemeId": 22}]', "22 is no viseme id; they are 0 to 21"),
        ("azure-json", '[{"audioOffset": 1' + "0" * 18 + ', "visemeId": 1}]', "times must rise"),
        ("azure-json", '[{"audioOffset": 9, "visemeId": 1}, {"audioOffset": 1, "visemeId": 0}]', "times must rise"),
        ("oculus-json", '{"cues": [{"start": 0, "end": 1, "value": "a"}]}', "visemes are sil, PP"),
        ("oculus-json", '{"cues": [{"start": 0, "end": 1, "value": "aa"}], "rate": "a/b"}', "a/b"),
        ("oculus-json", '{"cues": [{"start": 0, "end": 1e9, "value": "aa"}]}', "times must lie in 0 to"),
        ("oculus-json", '{"cues": [], "rate": 1000000}', "the rate above 0 and up to 1000"),
        ("oculus-json", '{"cues": [{"start": 0.5, "end": 1, "value": "aa"}]}', "the first cue must begin at 0"),
        ("oculus-json", '{"cues": [{"start": 0, "end": 0.01, "value": "aa"}], "weights": [[1]]}', "15 numbers"),
        ("oculus-json", '{"cues": [{"start": 0, "end": 0.01, "value": "aa"}], "weights": []}', r"weights \(1, 15\)"),
        ("arkit-csv", "Timecode,BlendShapeCount,JawOpen\n", "no column 'eyeBlinkLeft', and 50 more"),
        ("vrm-json", '{"rate": 60, "keys": [{"aa": 2}]}', "weights must lie in 0 to 1"),
        ("vrm-json", '{"rate": 0, "keys": []}', "the rate above 0"),
        ("vrm-json", '{"rate": "x", "keys": []}', "rate"),
        ("srt", "1\n00:00:00,000 --> 00:00:01,000\nhello\n", "expected a number, times and a viseme"),
    ],
)
def test_what_is_broken_is_refused_in_one_line(name, text, why):
    with pytest.raises(UsageError, match=why) as caught:
        FORMATS[name].read(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("bad", ["oops", "nan", ""])
def test_a_cell_that_is_no_number_is_refused(bad):
    head, row, *_ = FORMATS["arkit-csv"].write(HELLO).splitlines()
    cells = row.split(",")
    with pytest.raises(UsageError, match="no arkit-csv file: a"):
        FORMATS["arkit-csv"].read("\n".join([head, ",".join([*cells[:20], bad, *cells[21:]])]))
    with pytest.raises(UsageError, match="no arkit-csv file: a row is none of numbers"):
        FORMATS["arkit-csv"].read("\n".join([head, ",".join(cells[:9])]))


def test_a_tier_of_other_words_is_refused():
    text = FORMATS["textgrid"].write(HELLO).replace('"oh"', '"hello"')
    with pytest.raises(UsageError, match="'hello' is no viseme; they are sil, PP"):
        FORMATS["textgrid"].read(text)


@pytest.mark.parametrize("fps", [Fraction(9), Fraction(101)])
def test_moho_has_frames_that_rhubarb_would_write(fps):
    with pytest.raises(UsageError, match="moho-dat needs 10 to 100 frames a second"):
        FORMATS["moho-dat"].write(HELLO, fps=fps)


def test_files_are_read_by_their_formats_name(tmp_path):
    path = tmp_path / "talk.srt"
    path.write_text(FORMATS["srt"].write(HELLO), encoding="utf-8-sig")
    assert read_visemes(path, "srt").per_row().tolist() == HELLO.per_row().tolist()
    with pytest.raises(UsageError, match="there is no format 'mp4'; there are oculus-json, "):
        read_visemes(path, "mp4")
    with pytest.raises(UsageError, match=r"cannot read visemes from '.*talk\.srt': no rhubarb-tsv file: line 1"):
        read_visemes(path, "rhubarb-tsv")
    with pytest.raises(UsageError, match="cannot read visemes from"):
        read_visemes(tmp_path / "none.srt", "srt")


def test_every_format_has_a_suffix_of_its_own_and_the_page_has_them_all():
    assert len({form.suffix for form in FORMATS.values()}) == len(FORMATS) == 10
    page = Path(__file__).resolve().parents[2] / "docs" / "visemes.md"
    said = re.findall(r"^\| `([\w-]+)` \| `(\.[\w.]+)` \|", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert said == [(name, form.suffix) for name, form in FORMATS.items()]
