"""What is written opens elsewhere: each format's grammar once more, from what its makers publish, in no shared line."""

import io
import json
import re
from fractions import Fraction
from itertools import pairwise
from xml.etree import ElementTree

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope.core.visemes import RATE, VISEMES, VisemeTrack, track_of
from phonoscope.data.viseme_formats import FORMATS

HI = track_of(np.repeat([0, 10, 11, 7, 0], [5, 22, 4, 12, 4]))  # what Rhubarb's README shows, a person who says "Hi."
SOUND = "C:\\Users\\Daniel & 'Co'\\\"hi\".wav"
FRAMES = st.sampled_from([Fraction(10), Fraction(24), Fraction(30000, 1001), Fraction(60), Fraction(100)])


@st.composite
def tracks(draw, least=1) -> VisemeTrack:
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows = np.repeat(rng.integers(0, 15, 60), rng.integers(1, draw(st.sampled_from([2, 15])), 60))
    rows = rows[: draw(st.integers(least, 300))]
    return track_of(rows, RATE, rng.dirichlet(np.full(15, 0.2), len(rows)).astype(np.float32))


def test_rhubarb_writes_the_same_lines():
    assert FORMATS["rhubarb-tsv"].write(HI) == "0.00\tX\n0.05\tD\n0.27\tC\n0.31\tB\n0.43\tX\n0.47\tX\n"


def test_rhubarb_writes_the_same_json():
    wanted = """{
  "metadata": {
    "soundFile": "C:\\\\Users\\\\Daniel\\\\Desktop\\\\av\\\\hi\\\\hi.wav",
    "duration": 0.47
  },
  "mouthCues": [
    { "start": 0.00, "end": 0.05, "value": "X" },
    { "start": 0.05, "end": 0.27, "value": "D" },
    { "start": 0.27, "end": 0.31, "value": "C" },
    { "start": 0.31, "end": 0.43, "value": "B" },
    { "start": 0.43, "end": 0.47, "value": "X" }
  ]
}
"""
    assert FORMATS["rhubarb-json"].write(HI, "C:\\Users\\Daniel\\Desktop\\av\\hi\\hi.wav") == wanted


def test_rhubarb_writes_the_same_xml():
    wanted = """<?xml version="1.0" encoding="utf-8"?>
<rhubarbResult>
  <metadata>
    <soundFile>C:\\Users\\Daniel\\Desktop\\av\\hi\\hi.wav</soundFile>
    <duration>0.47</duration>
  </metadata>
  <mouthCues>
    <mouthCue start="0.00" end="0.05">X</mouthCue>
    <mouthCue start="0.05" end="0.27">D</mouthCue>
    <mouthCue start="0.27" end="0.31">C</mouthCue>
    <mouthCue start="0.31" end="0.43">B</mouthCue>
    <mouthCue start="0.43" end="0.47">X</mouthCue>
  </mouthCues>
</rhubarbResult>
"""
    assert FORMATS["rhubarb-xml"].write(HI, "C:\\Users\\Daniel\\Desktop\\av\\hi\\hi.wav") == wanted


def held(cues: list[tuple[str, str, str]], duration: str) -> None:
    """Rhubarb's promises: two decimals, from 0.00, each cue from where the last one ended, no shape twice in a row."""
    assert all(re.fullmatch(r"\d+\.\d\d", time) for start, end, _ in cues for time in (start, end))
    assert all(re.fullmatch("[A-HX]", shape) for *_, shape in cues)
    assert (cues[0][0], cues[-1][1]) == ("0.00", duration)
    assert all(a[1] == b[0] and a[2] != b[2] for a, b in pairwise(cues))
    assert all(float(start) < float(end) for start, end, _ in cues) or duration == "0.00"


@settings(max_examples=200)
@given(track=tracks(least=0))
def test_rhubarbs_three_files_keep_its_promises(track):
    duration = f"{track.rows / 100:.2f}"
    lines = FORMATS["rhubarb-tsv"].write(track)
    assert re.fullmatch(r"(\d+\.\d\d\t[A-HX]\n)+", lines)
    marks = [line.split("\t") for line in lines.splitlines()]
    assert marks[-1] == [duration, "X"]
    cues = [(a[0], b[0], a[1]) for a, b in pairwise(marks)] or [("0.00", "0.00", "X")]
    held(cues, duration)
    text = FORMATS["rhubarb-json"].write(track, SOUND)
    file = json.loads(text, parse_float=str)
    assert list(file) == ["metadata", "mouthCues"]
    assert file["metadata"] == {"soundFile": SOUND, "duration": duration}
    assert [tuple(cue.values()) for cue in file["mouthCues"]] == cues
    assert {tuple(cue) for cue in file["mouthCues"]} == {("start", "end", "value")}
    root = ElementTree.fromstring(FORMATS["rhubarb-xml"].write(track, SOUND).encode())
    assert (root.tag, [child.tag for child in root]) == ("rhubarbResult", ["metadata", "mouthCues"])
    assert [(child.tag, child.text) for child in root[0]] == [("soundFile", SOUND), ("duration", duration)]
    assert [(cue.get("start"), cue.get("end"), cue.text) for cue in root[1]] == cues


@settings(max_examples=200)
@given(track=tracks(least=0), fps=FRAMES)
def test_mohos_switch_data_are_frames_that_rise_and_drawings(track, fps):
    text = FORMATS["moho-dat"].write(track, fps=fps)
    assert re.fullmatch(r"MohoSwitch1\n([1-9]\d* (MBP|etc|E|AI|O|U|FV|L|rest)\n)*[1-9]\d* rest\n", text)
    frames = [int(line.split()[0]) for line in text.splitlines()[1:]]
    assert frames[0] == 1
    assert all(a < b for a, b in pairwise(frames))
    assert frames[-1] >= 1 + track.rows * fps // 100


@settings(max_examples=200)
@given(counts=st.lists(st.integers(11, 60), min_size=1, max_size=20), seed=st.integers(0, 99), fps=FRAMES)
def test_moho_has_rhubarbs_own_lines_where_no_two_shapes_share_a_frame(counts, seed, fps):
    shapes = {"sil": "rest", "PP": "MBP", "FF": "FV", "aa": "AI", "E": "E", "ou": "U", "nn": "L", "SS": "etc"}
    names = [list(shapes)[number % len(shapes)] for number in range(seed, seed + len(counts))]
    track = track_of(np.repeat([VISEMES.index(name) for name in names], counts))
    lines, last = ["MohoSwitch1"], 0
    for start, name in zip(track.edges.tolist(), names, strict=False):
        last = 1 + int(fps * start / 100)
        lines.append(f"{last} {shapes[name]}")
    end = 1 + int(fps * track.rows / 100)
    lines.append(f"{end + (end == last)} rest")
    assert FORMATS["moho-dat"].write(track, fps=fps) == "\n".join(lines) + "\n"


@settings(max_examples=100)
@given(track=tracks(least=0))
def test_azures_events_rise_in_ticks_and_end_in_silence(track):
    events = json.loads(FORMATS["azure-json"].write(track))
    assert all(set(event) == {"audioOffset", "visemeId"} for event in events)
    assert all(type(value) is int for event in events for value in event.values())
    assert all(0 <= event["visemeId"] <= 21 and event["audioOffset"] % 100_000 == 0 for event in events)
    offsets = [event["audioOffset"] for event in events]
    assert offsets[0] == 0 and all(a < b for a, b in pairwise(offsets))
    assert events[-1] == {"audioOffset": track.rows * 100_000, "visemeId": 0}


# The header as Live Link Face writes it (its csv in the public importers for Blender and Maya).
LIVE_LINK = (
    "Timecode,BlendShapeCount,EyeBlinkLeft,EyeLookDownLeft,EyeLookInLeft,EyeLookOutLeft,EyeLookUpLeft,EyeSquintLeft,"
    "EyeWideLeft,EyeBlinkRight,EyeLookDownRight,EyeLookInRight,EyeLookOutRight,EyeLookUpRight,EyeSquintRight,"
    "EyeWideRight,JawForward,JawRight,JawLeft,JawOpen,MouthClose,MouthFunnel,MouthPucker,MouthRight,MouthLeft,"
    "MouthSmileLeft,MouthSmileRight,MouthFrownLeft,MouthFrownRight,MouthDimpleLeft,MouthDimpleRight,MouthStretchLeft,"
    "MouthStretchRight,MouthRollLower,MouthRollUpper,MouthShrugLower,MouthShrugUpper,MouthPressLeft,MouthPressRight,"
    "MouthLowerDownLeft,MouthLowerDownRight,MouthUpperUpLeft,MouthUpperUpRight,BrowDownLeft,BrowDownRight,BrowInnerUp,"
    "BrowOuterUpLeft,BrowOuterUpRight,CheekPuff,CheekSquintLeft,CheekSquintRight,NoseSneerLeft,NoseSneerRight,"
    "TongueOut,HeadYaw,HeadPitch,HeadRoll,LeftEyeYaw,LeftEyePitch,LeftEyeRoll,RightEyeYaw,RightEyePitch,RightEyeRoll"
)


@settings(max_examples=50)
@given(track=tracks(), fps=FRAMES)
def test_live_link_has_a_row_a_frame_and_shapes_between_0_and_1(track, fps):
    head, *rows = FORMATS["arkit-csv"].write(track, fps=fps).splitlines()
    assert head == LIVE_LINK
    names, a_second = head.split(","), -(-fps.numerator // fps.denominator)
    assert len(rows) == -(-track.rows * fps // 100)
    for frame, row in enumerate(rows):
        time, count, *values = row.split(",")
        assert (len(values), count) == (61, "61")
        hours, minutes, seconds, rest = re.fullmatch(r"(\d\d):(\d\d):(\d\d):(\d\d\d?)\.000", time).groups()
        assert (int(hours) * 3600 + int(minutes) * 60 + int(seconds)) * a_second + int(rest) == frame
        shapes = dict(zip(names[2:], map(float, values), strict=True))
        assert all(0 <= value <= 1 for value in shapes.values())
        assert not any(value for name, value in shapes.items() if name.startswith(("Eye", "Brow", "Head", "LeftEye")))
        assert shapes["MouthPressLeft"] == shapes["MouthPressRight"]


@pytest.mark.parametrize(("name", "shut"), [("PP", True), ("aa", False), ("sil", True)])
def test_a_closure_shuts_the_mouth_of_a_face_that_is_blended(name, shut):
    track = track_of(np.full(30, VISEMES.index(name)))
    row = FORMATS["arkit-csv"].write(track).splitlines()[5].split(",")
    jaw = float(row[LIVE_LINK.split(",").index("JawOpen")])
    assert (jaw == 0) == shut
    key = json.loads(FORMATS["vrm-json"].write(track))["keys"][5]
    assert (sum(key[vowel] for vowel in ("aa", "ih", "ou", "ee", "oh")) == 0) == shut


@settings(max_examples=50)
@given(track=tracks(), fps=FRAMES)
def test_vrm_has_a_key_a_frame_that_never_opens_the_mouth_twice_over(track, fps):
    file = json.loads(FORMATS["vrm-json"].write(track, fps=fps))
    assert file["expressions"] == ["aa", "ih", "ou", "ee", "oh"]
    assert Fraction(file["rate"]) == fps
    for frame, key in enumerate(file["keys"]):
        assert abs(key.pop("time") - frame / fps) < 1e-4
        assert list(key) == file["expressions"]
        assert all(0 <= value <= 1 for value in key.values()) and sum(key.values()) <= 1 + 1e-9


@settings(max_examples=100)
@given(track=tracks())
def test_a_textgrid_is_praats_long_form_without_a_gap(track):
    end, lines = str(track.rows / 100), FORMATS["textgrid"].write(track).splitlines()
    head = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", f"xmax = {end}", "tiers? <exists>"]
    head += ["size = 1", "item []:", "    item [1]:", '        class = "IntervalTier"', '        name = "visemes"']
    head += ["        xmin = 0", f"        xmax = {end}", f"        intervals: size = {len(track.values)}"]
    lines = [line.rstrip() for line in lines]
    assert lines[: len(head)] == head
    before = "0.0"
    for number, at in enumerate(range(len(head), len(lines), 4)):
        start, stop = (str(edge / 100) for edge in track.edges[number : number + 2].tolist())
        assert lines[at] == f"        intervals [{number + 1}]:"
        assert lines[at + 1 : at + 3] == [f"            xmin = {start}", f"            xmax = {stop}"]
        assert lines[at + 3] == f'            text = "{VISEMES[track.values[number]]}"'
        assert start == before
        before = stop
    assert before == end
    assert len(lines) == len(head) + 4 * len(track.values)


@settings(max_examples=30)
@given(track=tracks())
def test_ffmpeg_reads_the_subtitles(track):
    text = FORMATS["srt"].write(track)
    assert re.fullmatch(r"(\d+\n[\d:,]{12} --> [\d:,]{12}\n\w+\n(\n|$))+", text)
    with av.open(io.BytesIO(text.encode()), format="srt") as file:
        packets = [packet for packet in file.demux() if packet.size]
    told = [(packet.pts, packet.duration, bytes(packet).decode()) for packet in packets]
    edges = (track.edges * 10).tolist()  # ms
    names = [VISEMES[value] for value in track.values]
    assert told == [(a, b - a, name) for a, b, name in zip(edges[:-1], edges[1:], names, strict=True)]


@settings(max_examples=50)
@given(track=tracks(least=0))
def test_oculus_cues_tile_the_sound_and_stand_beside_a_row_of_weights_each_10_ms(track):
    file = json.loads(FORMATS["oculus-json"].write(track))
    assert (list(file), file["rate"]) == (["cues", "rate", "weights"], 100)
    assert [(cue["start"], cue["end"]) for cue in file["cues"]] == [
        (a / 100, b / 100) for a, b in zip(track.edges[:-1].tolist(), track.edges[1:].tolist(), strict=True)
    ]
    assert [cue["value"] for cue in file["cues"]] == [VISEMES[value] for value in track.values]
    assert len(file["weights"]) == track.rows and all(len(row) == 15 for row in file["weights"])
