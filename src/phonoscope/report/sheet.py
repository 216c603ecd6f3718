"""Contact sheets: many small pictures on one, each with a line of text."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np

from phonoscope.core.faces import Track
from phonoscope.core.geometry import POLICIES, Crop, Crops, crop_track
from phonoscope.core.media import Picture
from phonoscope.core.time import Span, merge_spans
from phonoscope.media.canvas import INK, SOFT, blank, put, text_width, write
from phonoscope.media.font import HEIGHT
from phonoscope.media.probe import probe
from phonoscope.media.video import decode
from phonoscope.report.figures import figures_of, put_figures
from phonoscope.report.marks import marks_of
from phonoscope.report.wording import count
from phonoscope.store.recording import StoredRecording

Item = TypeVar("Item")

TILE, FACE = 240, 112  # px, widths of a frame and of a crop on the sheet
GAP = 10  # px
MOST = 40  # rows of a sheet; beyond that some are left out, evenly
FRAMES = 12  # pictures of a sheet of faces or tracks


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture of a sheet."""

    picture: np.ndarray  # (h, w, 3) uint8
    label: str


def lay_out(tiles: Sequence[Tile], columns: int, title: str) -> np.ndarray:
    """A sheet of tiles of one size, row by row, (H, W, 3) uint8."""
    height, width = tiles[0].picture.shape[:2] if tiles else (0, TILE)
    line = HEIGHT + 6
    top = GAP + 2 * HEIGHT + GAP
    rows = -(-len(tiles) // columns)
    sheet = blank(top + rows * (height + line + GAP) + GAP, max(GAP + columns * (width + GAP), 320))
    write(sheet, GAP, GAP, title, INK, 2 if text_width(title, 2) + 2 * GAP <= sheet.shape[1] else 1)
    for k, tile in enumerate(tiles):
        x, y = GAP + k % columns * (width + GAP), top + k // columns * (height + line + GAP)
        sheet[y : y + height, x : x + width] = tile.picture
        write(sheet, x, y + height + 3, tile.label[: width // 6], SOFT)
    return sheet


def shots_sheet(stored: StoredRecording) -> np.ndarray:
    """First, middle and last frame of each shot."""
    shots, recording = stored.load("shots").spans, stored.recording
    chosen = spread(range(len(shots)), MOST)
    middle = {n: (shots[n].start + shots[n].stop) // 2 for n in chosen}
    wanted = [(n, frame) for n in chosen for frame in (shots[n].start, middle[n], shots[n].stop - 1)]
    seen = small_pictures(stored, {frame for _, frame in wanted})
    tiles = [Tile(seen[f], f"shot {n} · {float(f / recording.fps):.2f} s · frame {f}") for n, f in wanted]
    return lay_out(tiles, 3, _title(stored, "shot", len(shots), len(chosen)))


def marks_sheet(stored: StoredRecording, name: str) -> np.ndarray:
    """Frames with the boxes of `faces`, `tracks` or `asd`, evenly from those that have any."""
    marks, frames = marks_of(stored, name)
    chosen = spread(frames.tolist(), FRAMES)
    seen = small_pictures(stored, set(chosen))
    tiles = []
    for frame in chosen:
        picture = seen[frame]
        put(picture, marks(frame), picture.shape[1] / stored.recording.width)
        tiles.append(Tile(picture, f"{float(frame / stored.recording.fps):.2f} s · frame {frame}"))
    return lay_out(tiles, 3, _title(stored, f"frame with {name}", len(frames), len(chosen)))


def crops_sheet(stored: StoredRecording, columns: int = 6) -> np.ndarray:
    """Crops of each track, evenly along it, a row a track."""
    crops: Crops = stored.load("crops")
    chosen = spread(crops.crops, MOST)
    wanted = [(crop, row) for crop in chosen for row in _along(crop, columns)]
    asked: dict[int, list[int]] = {}
    for k, (crop, row) in enumerate(wanted):
        asked.setdefault(crop.start + row, []).append(k)
    made: dict[int, Tile] = {}
    for picture in pictures(stored, asked):
        for k in asked[picture.frame]:
            crop, row = wanted[k]
            cut = picture.crop_rgb(crop.matrix[row], crop.size, POLICIES[crop.policy].border)
            made[k] = _face_tile(stored, crop, row, cut)
    title = _title(stored, "track", len(crops.crops), len(chosen))
    return lay_out([made[k] for k in range(len(wanted))], columns, title)


def figures_sheet(stored: StoredRecording, name: str, columns: int = 4) -> np.ndarray:
    """Faces with the lines of `landmarks` or `mesh` on them, evenly along each track, a row a track."""
    figures, tracks = figures_of(stored, name), stored.load("tracks")
    chosen = spread([*tracks], MOST)
    crops = [crop_track(track, "asd", expand=0.6, size=TILE) for track in chosen]
    asked: dict[int, list[tuple[Crop, int]]] = {}
    for crop in crops:
        for row in _along(crop, columns):
            asked.setdefault(crop.start + row, []).append((crop, row))
    made: dict[tuple[int, int], Tile] = {}
    for picture in pictures(stored, asked):
        for crop, row in asked[picture.frame]:
            cut = picture.crop_rgb(crop.matrix[row], crop.size, POLICIES[crop.policy].border)
            own = (figure for figure in figures(picture.frame) if figure.track == crop.track)
            put_figures(cut, own, crop.matrix[row])
            when = float(picture.frame / stored.recording.fps)
            made[crop.track, row] = Tile(cut, f"track {crop.track} · {when:.2f} s · frame {picture.frame}")
    tiles = [made[crop.track, row] for crop in crops for row in _along(crop, columns)]
    return lay_out(tiles, columns, _title(stored, f"track with {name}", len(tracks), len(chosen)))


def face_crops_sheet(stored: StoredRecording, columns: int = 6) -> np.ndarray:
    """Faces as networks see them, evenly along each track, a row a track; crossed out where none was found."""
    faces, tracks = stored.load("face_crops"), stored.load("tracks")
    chosen = spread([*tracks], MOST)
    tiles = []
    for track in chosen:
        missing = faces.frames.of(track.id, "missing")
        for row in _along(track, columns):
            grey = np.repeat(faces[track.id][row][..., None], 3, axis=2)
            if missing[row]:
                cross = np.eye(len(grey), dtype=bool)
                grey[cross | cross[::-1]] = INK
            tiles.append(_face_tile(stored, track, row, grey))
    return lay_out(tiles, columns, _title(stored, "track with face crops", len(tracks), len(chosen)))


def crop_video_sheet(stored: StoredRecording, columns: int = 6) -> np.ndarray:
    """Pictures of each track's own film, evenly along it, a row a track."""
    crops: Crops = stored.load("crops")
    chosen = spread(crops.crops, MOST)
    tiles = []
    for crop in chosen:
        rows = _along(crop, columns)
        seen = {p.frame: p.rgb() for p in crop_film(stored, crop, merge_spans([Span(row, row + 1) for row in rows]))}
        tiles += [_face_tile(stored, crop, row, seen[row]) for row in rows]
    return lay_out(tiles, columns, _title(stored, "film of a track", len(crops.crops), len(chosen)))


def crop_film(stored: StoredRecording, crop: Crop, spans: Sequence[Span]) -> Iterator[Picture]:
    """Pictures of a track's film in `crop_video`, numbered from the beginning of the track."""
    path = stored.load("crop_video") / f"{crop.track}.mp4"
    return decode(path, probe(path, stored.recording.fps, stored.recording.sample_rate).clock, spans)


def thumbs_sheet(stored: StoredRecording) -> np.ndarray:
    """All portraits."""
    import av

    tiles = []
    for path in sorted(stored.load("thumbs").glob("*.jpg"), key=lambda path: int(path.stem)):
        with av.open(f"file:{path}") as file:
            rgb = next(file.decode(video=0)).to_ndarray(format="rgb24")
        tiles.append(Tile(shrunk(rgb, rgb.shape[1]), f"track {path.stem}"))
    return lay_out(tiles, 6, _title(stored, "portrait", len(tiles), len(tiles)))


def pictures(stored: StoredRecording, frames: Iterable[int]) -> Iterable[Picture]:
    """The pictures of some frames, in order."""
    spans = merge_spans([Span(frame, frame + 1) for frame in frames])
    return decode(stored.source, stored.clock, spans)


def small_pictures(stored: StoredRecording, frames: Iterable[int]) -> dict[int, np.ndarray]:
    """Some frames, `TILE` px wide, (h, w, 3) uint8; the caller's to draw on."""
    return {picture.frame: shrunk(picture.rgb(), TILE) for picture in pictures(stored, frames)}


def shrunk(rgb: np.ndarray, width: int) -> np.ndarray:
    """A picture at another width, its proportions kept."""
    height = max(1, round(rgb.shape[0] * width / rgb.shape[1]))
    if (height, width) == rgb.shape[:2]:
        return rgb.copy()
    way = cv2.INTER_AREA if width < rgb.shape[1] else cv2.INTER_LINEAR
    return cv2.resize(rgb, (width, height), interpolation=way)


def spread(items: Sequence[Item], most: int) -> list[Item]:
    """At most so many of the items, evenly, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    return [items[round(at)] for at in np.linspace(0, len(items) - 1, most).tolist()]


def _title(stored: StoredRecording, what: str, there: int, shown: int) -> str:
    """What a sheet shows, counted: `what` begins with a noun in the singular, such as "track with pose"."""
    noun, _, more = what.partition(" ")
    some = f"{shown} of " if shown < there else ""
    return f"{stored.recording.id} · {some}{count(there, noun)} {more}".rstrip()


def _along(crop: Crop | Track, count: int) -> list[int]:
    """So many rows of a crop or a track, evenly from the first to the last; of a short one, some twice."""
    return [round(at) for at in np.linspace(0, len(crop) - 1, count).tolist()]


def _face_tile(stored: StoredRecording, of: Crop | Track, row: int, rgb: np.ndarray) -> Tile:
    track = of.id if isinstance(of, Track) else of.track
    return Tile(shrunk(rgb, FACE), f"{track} · {float((of.start + row) / stored.recording.fps):.2f} s")
