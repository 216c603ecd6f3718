"""Artifacts as pictures and films."""

from fractions import Fraction
from itertools import combinations

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.core.errors import UsageError
from phonoscope.core.faces import Faces, Track, TrackArrays, Tracks, TrackTable
from phonoscope.core.series import Series
from phonoscope.core.time import Span
from phonoscope.media.canvas import HUES, SPEAKING, blank, outline, tag, text_width, write
from phonoscope.media.encode import write_film
from phonoscope.media.font import GLYPHS, text_mask
from phonoscope.report.draw import ARTIFACTS, PICTURES, draw
from phonoscope.report.figures import Figure, figures_of, put_figures
from phonoscope.report.film import CELL, GREY, cells, even
from phonoscope.report.marks import face_marks, track_marks
from phonoscope.report.plot import PANEL, SIZE, Line, bounds, curves, heat_map
from phonoscope.report.sheet import FACE, GAP, TILE, Tile, lay_out, shrunk, spread
from phonoscope.store.receipts import Receipt


def read_png(path):
    with av.open(str(path)) as file:
        return next(file.decode(video=0)).to_ndarray(format="rgb24")


def read_film(path):
    """Pictures (T, H, W, 3) int16, and the seconds of sound."""
    with av.open(str(path)) as film:
        sound = film.streams.audio[0]
        seconds = float((sound.duration or 0) * (sound.time_base or 0))
        return np.stack([frame.to_ndarray(format="rgb24").astype(np.int16) for frame in film.decode(video=0)]), seconds


def with_crop_films(stored):
    """A recording whose tracks have films: plain ones, brighter from picture to picture, track 0 the darkest."""
    with stored.part_folder("crop_video") as part:
        for crop in stored.load("crops").crops:
            shades = (np.full((64, 64, 3), 20 + 60 * crop.track + row, np.uint8) for row in range(len(crop)))
            write_film(part / f"{crop.track}.mp4", shades, stored.recording.fps)
        stored.save("crop_video", part, Receipt(key="f", step="crop_video", version=1, seconds=1.0))
    return stored


def test_letters_differ_from_each_other_and_fill_their_box():
    alike = {("-", "–"), ("-", "−"), ("–", "−")}
    letters = sorted(GLYPHS)
    same = {(a, b) for a in letters for b in letters if a < b and (GLYPHS[a] == GLYPHS[b]).all()}
    assert same <= alike
    assert all(glyph.shape == (7, 5) and (glyph.any() or letter == " ") for letter, glyph in GLYPHS.items())


def test_an_unknown_letter_is_a_question_mark():
    np.testing.assert_array_equal(text_mask("é"), text_mask("?"))
    assert text_mask("abc", 2).shape == (14, 36) and text_width("abc", 2) == 34


@given(x=st.integers(-80, 80), y=st.integers(-40, 40), scale=st.integers(1, 3))
def test_ink_is_cut_at_the_edges_of_a_picture(x, y, scale):
    small, large = blank(20, 30), blank(220, 230)
    write(small, x, y, "Ag 3", scale=scale)
    write(large, x + 100, y + 100, "Ag 3", scale=scale)
    np.testing.assert_array_equal(small, large[100:120, 100:130])


@given(box=st.tuples(*[st.floats(-50, 90)] * 4))
def test_boxes_and_tags_may_lie_anywhere(box):
    picture = blank(40, 40)
    outline(picture, np.array(box), (255, 0, 0))
    tag(picture, round(box[0]), round(box[1]), "12", (0, 0, 0))
    assert picture.shape == (40, 40, 3)


def test_an_outline_lies_on_its_box():
    picture = blank(20, 20, (0, 0, 0))
    outline(picture, np.array([3.0, 4.0, 12.0, 15.0]), (255, 255, 255), 1)
    rows, columns = np.nonzero(picture[..., 0])
    assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == (3, 4, 12, 15)
    assert not picture[5:14, 4:11].any()


@given(length=st.integers(0, 300), most=st.integers(2, 50))
def test_what_is_spread_is_in_order_and_keeps_both_ends(length, most):
    chosen = spread(range(length), most)
    assert chosen == sorted(set(chosen)) and len(chosen) == min(length, most)
    assert not length or (chosen[0], chosen[-1]) == (0, length - 1)


def test_between_two_looks_the_faces_of_the_last_one_stay():
    box = np.zeros((2, 4), np.float32)
    faces = Faces(np.array([0, 7], np.int32), box, np.array([0.9, 0.7], np.float32), np.zeros((2, 5, 2)))
    marks = face_marks(faces, every=5)
    assert [[mark.label for mark in marks(frame)] for frame in (0, 4, 5, 7, 9, 10)] == [
        ["0.90"], ["0.90"], [], ["0.70"], ["0.70"], [],
    ]  # fmt: skip


def test_a_track_is_green_while_it_speaks_and_has_its_own_colour_else():
    track = Track(3, 10, np.zeros((2, 4), np.float32), np.ones(2, np.float32), np.ones(2, bool))
    scores = TrackTable(np.array([3, 3]), np.array([10, 11]), {"score": np.array([1.25, -1.25])})
    marks = track_marks(Tracks((track,)), scores)
    assert [[(m.label, m.colour) for m in marks(f)] for f in (9, 10, 11, 12)] == [
        [], [("3  +1.2", SPEAKING)], [("3  -1.2", HUES[3])], [],
    ]  # fmt: skip
    assert track_marks(Tracks((track,)), None)(10)[0].label == "3"


def test_a_sheet_holds_its_tiles_where_they_belong():
    tiles = [Tile(np.full((30, TILE, 3), shade, np.uint8), str(shade)) for shade in (10, 20, 30, 40)]
    sheet = lay_out(tiles, 3, "title")
    assert sheet.shape[1] == GAP + 3 * (TILE + GAP)
    rows, columns = np.nonzero((sheet == 40).all(2))
    assert columns.min() == GAP and np.ptp(columns) == TILE - 1 and np.ptp(rows) == 29
    assert lay_out([], 3, "nothing").shape[1] == GAP + 3 * (TILE + GAP)


@given(height=st.integers(1, 80), width=st.integers(1, 80), wanted=st.integers(1, 60))
def test_a_shrunk_picture_keeps_its_proportions_and_never_is_the_original(height, width, wanted):
    picture = np.zeros((height, width, 3), np.uint8)
    made = shrunk(picture, wanted)
    assert made.shape == (max(1, round(height * wanted / width)), wanted, 3)
    assert not np.shares_memory(made, picture)


def test_a_curve_passes_through_its_values_also_between_them():
    sparse = Line(np.array([0.0, 10.0]), np.array([0.0, 1.0]), (255, 0, 0))
    ink = (curves([sparse], 10, (0, 1), "") == (255, 0, 0)).all(2)
    columns = np.flatnonzero(ink.any(0))
    assert len(columns) == np.ptp(columns) + 1 > 900
    assert np.all(np.diff(ink.argmax(0)[columns]) <= 0)


def test_a_heat_map_is_dark_where_values_are_high():
    values = np.zeros((1000, 4), np.float32)
    values[500:, 0] = 1
    picture = heat_map(Series(values, Fraction(100), Fraction(1, 200)), 10, "")
    bottom = picture[SIZE[0] - 40, :, 0].astype(int)
    assert bottom[200] > 240 and bottom[800] < 60


def test_a_curve_stops_where_nothing_is_known():
    value = np.where((np.arange(100) > 40) & (np.arange(100) < 60), np.nan, 0.5)
    picture = curves([Line(np.arange(100) / 10, value, (255, 0, 0))], 10, (0.0, 1.0), "")
    red = (picture[..., 0] == 255) & (picture[..., 1] == 0)
    drawn = red.any(0)
    assert drawn[54 : 54 + 370].all() and not drawn[54 + 400 : 54 + 550].any() and drawn[54 + 570 : 54 + 900].all()


def test_lines_on_a_face_lie_where_they_belong():
    picture = np.zeros((40, 60, 3), np.uint8)
    line = (np.array([[10.5, 5.5], [10.5, 15.5]]), False, (200, 0, 0))
    put_figures(picture, iter([Figure(0, [line], np.zeros(2), "", (0, 0, 0))]), np.array([[2.0, 0, 0], [0, 2.0, 0]]))
    rows, columns = np.nonzero(picture[..., 0] > 60)  # the pixel whose centre is 10.5 lies about 21 in the larger one
    assert {*columns.tolist()} <= {20, 21} and 10 <= rows.min() <= 11 and 30 <= rows.max() <= 31


@pytest.mark.parametrize("name", ["landmarks", "mesh", "pose", "mouth"])
def test_a_face_that_was_not_seen_has_no_lines(add, name):
    stored = add(film=True, frames=60, features=3)
    figures, track = figures_of(stored, name), stored.load("tracks")[0]
    assert [bool([*figures(track.start + row)]) for row in range(5)] == [False, False, False, True, True]


@pytest.mark.parametrize("name", ["landmarks", "mesh", "pose", "mouth"])
def test_lines_can_be_watched_on_the_film(add, tmp_path, name):
    draw(add(film=True, frames=60, features=0), name, tmp_path / "x.mp4")
    pictures, _ = read_film(tmp_path / "x.mp4")
    assert len(pictures) == 60 and np.ptp(pictures[10], axis=2).max() > 40  # the film is grey, the lines are not


@pytest.mark.parametrize("name", PICTURES)
def test_every_artifact_that_can_be_a_picture_is_one(add, tmp_path, name):
    stored = with_crop_films(add(film=True, frames=60, features=0))
    draw(stored, name, tmp_path / "x.png")
    picture = read_png(tmp_path / "x.png")
    if name in ("audio", "mfcc", "vad", "asd", "fbank", "stft", "speech", "visemes"):
        assert picture.shape == (*SIZE, 3)
    elif isinstance(made := stored.load(name), TrackTable):
        assert picture.shape == (PANEL * len(made.columns), SIZE[1], 3)
    elif isinstance(made, TrackArrays) and name != "face_crops":
        assert picture.shape[1] == GAP + 4 * (TILE + GAP)
    elif name in ("shots", "faces", "tracks"):
        assert picture.shape[1] == GAP + 3 * (TILE + GAP)
    else:
        assert picture.shape[1] == GAP + 6 * ((96 if name == "thumbs" else FACE) + GAP)
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["films", "talk.mp4", "x.png"]


@pytest.mark.parametrize("name", ["shots", "faces", "tracks", "crops", "asd", "thumbs"])
def test_a_recording_without_faces_can_be_looked_at_too(add, tmp_path, name):
    draw(add(film=True, frames=40, tracks=0), name, tmp_path / "x.png")
    assert read_png(tmp_path / "x.png").ndim == 3


@pytest.mark.parametrize("name", ["faces", "tracks", "asd"])
def test_a_film_has_every_frame_boxes_and_all_the_sound(add, tmp_path, name):
    stored = add(film=True, frames=60)
    draw(stored, name, tmp_path / "x.mp4")
    pictures, seconds = read_film(tmp_path / "x.mp4")
    assert pictures.shape == (60, 96, 160, 3) and seconds == pytest.approx(60 / 25, abs=0.05)
    green = [int(((p[..., 1] - p[..., 0] > 60) & (p[..., 1] - p[..., 2] > 20)).sum()) for p in pictures]
    if name != "faces":  # track 1 speaks in its second half: frames 44 to 57
        assert min(green[45:57]) > 100 and max(green[:30]) == 0


@pytest.mark.parametrize("name", ["crops", "crop_video"])
def test_tracks_are_filmed_side_by_side_each_at_its_time_and_grey_elsewhere_with_all_the_sound(add, tmp_path, name):
    stored = with_crop_films(add(film=True, frames=60, tracks=3))
    draw(stored, name, tmp_path / "x.mp4")
    pictures, seconds = read_film(tmp_path / "x.mp4")
    assert pictures.shape == (60, 2 * CELL, 2 * CELL, 3) and seconds == pytest.approx(60 / 25, abs=0.05)
    grey = np.abs(pictures - GREY[0]).max(-1) < 8
    cells_seen = grey.reshape(60, 2, CELL, 2, CELL)[:, :, 16:-16, :, 16:-16]  # a coded cell bleeds into the next
    empty = cells_seen.all((2, 4)).reshape(60, 4)
    for cell, track in enumerate(sorted(stored.load("tracks"), key=lambda track: track.start)):
        assert np.flatnonzero(~empty[:, cell]).tolist() == list(range(track.start, track.span.stop))
    assert empty[:, 3].all()  # there is no fourth track


def test_a_crop_film_keeps_its_time_on_the_sheet_and_among_the_others(add, tmp_path):
    stored = with_crop_films(add(film=True, frames=60))
    for ending in ("png", "mp4"):
        draw(stored, "crop_video", tmp_path / f"x.{ending}")
    shades = np.abs(read_film(tmp_path / "x.mp4")[0][:, CELL // 2, [CELL // 2, 3 * CELL // 2]].mean(-1).T)
    sheet = read_png(tmp_path / "x.png")
    for track in stored.load("tracks"):
        rows = np.arange(len(track))
        assert np.abs(shades[track.id, track.start + rows] - (20 + 60 * track.id + rows)).max() < 4
        for column, row in enumerate(np.linspace(0, len(track) - 1, 6).round()):
            x = GAP + column * (FACE + GAP) + FACE // 2
            seen = sheet[:, x, 0].astype(int)
            assert (np.abs(seen - (20 + 60 * track.id + row)) < 3).sum() >= FACE


def test_without_tracks_the_film_of_tracks_is_one_grey_cell(add, tmp_path):
    draw(add(film=True, frames=40, tracks=0), "crops", tmp_path / "x.mp4")
    pictures, _ = read_film(tmp_path / "x.mp4")
    assert pictures.shape == (40, CELL, CELL, 3) and np.abs(pictures - GREY[0]).max() < 4


SPANS = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 20)).map(lambda it: Span(it[0], sum(it))), max_size=12)


@given(spans=SPANS, own=st.integers(1, 6))
def test_two_tracks_share_a_cell_only_if_there_are_many_and_never_at_a_time(spans, own):
    places = cells(spans, own)
    for (one, here), (other, there) in combinations(zip(spans, places, strict=True), 2):
        assert here != there or not one & other
    most = max((sum(s.start <= frame < s.stop for s in spans) for frame in range(60)), default=0)
    assert sorted(set(places)) == list(range(min(len(spans), max(own, most))))


def test_the_film_of_a_silent_recording_is_silent(add, tmp_path):
    draw(add(film=True, sound=False, frames=40), "tracks", tmp_path / "x.mp4")
    with av.open(str(tmp_path / "x.mp4")) as film:
        assert not film.streams.audio and film.streams.video[0].frames == 40


@given(length=st.integers(0, 5000))
def test_sides_become_even(length):
    assert even(length) % 2 == 0 and even(length) >= 2 and (length < 2 or length - even(length) in (0, 1))


@pytest.mark.parametrize(
    ("name", "file", "said"),
    [
        ("trakcs", "x.png", "did you mean 'tracks'?"),
        ("zzz", "x.png", f"there are {', '.join(ARTIFACTS)}"),
        ("tracks", "x.gif", "give a file that ends in .png or .mp4"),
        ("shots", "x.mp4", "give a file that ends in .png"),
        ("recording", "x.png", "leave --to away"),
        ("crop_video", "x.mp4", "run crop_video"),
        ("audio", "x.png", "has no sound"),
        ("asd", "x.png", "--only talk-00000000` makes it"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_one_line_and_nothing_is_left(add, tmp_path, name, file, said):
    stored = add(sound=False)
    with pytest.raises(UsageError) as error:
        draw(stored, name, tmp_path / file)
    assert said in str(error.value) and "\n" not in str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == ["films"]


def test_the_films_that_a_store_was_made_of_stay_as_they_are(add, tmp_path):
    stored, other = add(film=True, frames=40), add("other.mp4", film=True, frames=40, seed=1)
    (tmp_path / "link.mp4").symlink_to(stored.source)
    before = stored.source.read_bytes(), other.source.read_bytes()
    for name in ("talk.mp4", "other.mp4", "link.mp4", "films/../talk.mp4"):
        with pytest.raises(UsageError, match="stays as it is"):
            draw(stored, "tracks", tmp_path / name)
    assert before == (stored.source.read_bytes(), other.source.read_bytes())


def test_nothing_is_drawn_into_the_store_or_into_no_folder(add, tmp_path):
    stored = add()
    for place in (stored.folder / "x.png", tmp_path / "nowhere" / "x.png"):
        with pytest.raises(UsageError):
            draw(stored, "vad", place)
        assert not place.exists()


@given(value=st.floats(-1e30, 1e30), noise=st.floats(0, 1e-4), count=st.integers(1, 5))
def test_what_is_all_one_value_is_drawn_in_the_middle_of_an_axis_with_nought(value, noise, count):
    low, high = bounds(value * (1 + noise * np.arange(count) / count))
    assert low <= 0 <= high and low < high
    assert (low + high) / 2 == pytest.approx(value, rel=1e-3)


@given(values=st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=9))
def test_an_axis_holds_all_values(values):
    low, high = bounds(np.array(values))
    assert low < high and low <= min(values) and max(values) <= high


@pytest.mark.parametrize("nothing", [np.zeros(0), np.full(3, np.nan)])
def test_an_axis_of_nothing_is_still_an_axis(nothing):
    assert bounds(nothing) == (0, 1)
