"""Draws the pictures of the documentation from puppets: `python docs/pictures.py [NAME …]`; no real face is in them."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import chdir
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import cv2
import numpy as np
from av.codec.context import CodecContext
from av.filter import Graph
from av.video.format import VideoFormat
from av.video.frame import VideoFrame

from phonoscope import Span, Store, prepare
from phonoscope.core.align import any_crop
from phonoscope.core.geometry import POLICIES
from phonoscope.core.visemes import track_of
from phonoscope.data.viseme_job import Spoken
from phonoscope.data.viseme_sounds import Sound
from phonoscope.job import DEFAULT
from phonoscope.media.canvas import BLUE, HUES, INK, LINE, blank, fill, tag, write
from phonoscope.report.draw import PICTURES as SHEETS
from phonoscope.report.page import write_report
from phonoscope.report.viseme_page import write_preview
from phonoscope.store.recording import StoredRecording
from phonoscope.testing.puppet import Scene, cuts_and_fades, demo, film

HERE = Path(__file__).resolve().parent / "pictures"
BEYOND = ("crop_video", "face_crops", "landmarks", "mesh", "pose", "motion", "mouth", "quality", "hands")
BEYOND += ("fbank", "stft")
PAGE = (1280, 1400)  # px of the report that are shown: width, height
MOUTHS = """const box = document.createElement("div");
box.style = "position:fixed;inset:0;background:#fff;display:grid;grid-template-columns:repeat(5,1fr)";
box.style.alignContent = "space-evenly";
data.poses.forEach((pose, k) => {
  mouth(pose);
  const face = $("face").cloneNode(true), cell = document.createElement("div");
  face.querySelector("clipPath").id = "inside" + k;
  face.querySelector("g[clip-path]").setAttribute("clip-path", `url(#inside${k})`);
  face.setAttribute("viewBox", "-112 -40 224 216");
  face.setAttribute("style", "height:165px");
  cell.style = "text-align:center;color:#1d2126";
  cell.append(face, data.names[k] + ": " + examples[data.names[k]]);
  box.append(cell);
});
document.body.append(box);"""  # draws all mouths over a page that shows one
POLICY_COLOURS = dict(zip(POLICIES, (BLUE, HUES[1], HUES[2], HUES[3], HUES[5]), strict=True))


def prepared(name: str, scene: Scene, store: str) -> StoredRecording:
    """A scene, drawn and prepared in a store in the current folder, so that no picture names a folder of ours."""
    path = film(Path(f"{name}.mp4"), scene)
    for outcome in prepare([path], store, (*DEFAULT, *BEYOND)).carry_out():
        if outcome.failure:
            raise RuntimeError(f"{outcome.failure.reason}: {outcome.failure.message}")
    return Store(store)[name]


def sheet(name: str) -> Callable[[StoredRecording], np.ndarray]:
    """What `phonoscope show … NAME --to NAME.png` draws."""
    return lambda stored: SHEETS[name](stored, name)


def first_faces(name: str) -> Callable[[StoredRecording], np.ndarray]:
    """The upper rows of such a sheet, those of the first two tracks."""
    return lambda stored: SHEETS[name](stored, name)[:562]


def policies(stored: StoredRecording) -> np.ndarray:
    """One frame with the square of every crop policy on it, and below it what each of them gives."""
    track, points = stored.load("tracks")[2], stored.load("landmarks")[2]
    frame = track.start + 40
    whole = stored.frames(Span(frame, frame + 1))[0]
    for policy, colour in POLICY_COLOURS.items():
        crop, _ = any_crop(track, policy, points=points)
        height, width = crop.size
        corners = np.array([[0.0, 0.0], [width, 0], [width, height], [0, height]])
        corners = crop.to_source(np.repeat(corners[None], len(crop), 0))[frame - track.start]
        cv2.polylines(whole, [np.round(corners * 16).astype(np.int32)], True, colour, 5, cv2.LINE_AA, 4)
        x, y = np.round(corners[3] + (0, 32) if policy == "aligned" else corners[0]).astype(int).tolist()
        tag(whole, x, y, policy, colour, 3)
    high, wide = 486, 864
    picture = blank(high + 10 + 256 + 30, wide)
    picture[:high] = cv2.resize(whole, (wide, high), interpolation=cv2.INTER_AREA)
    top, left = high + 10, 0
    for policy in POLICIES:
        cut = stored.crops(2, policy, Span(frame, frame + 1))[0]
        height, width = cut.shape[:2]
        picture[top : top + height, left : left + width] = cut
        write(picture, left, top + height + 5, f"{policy}, {width} px", INK, 1)
        left += width + 16
    return picture


def crop_film(stored: StoredRecording) -> np.ndarray:
    """Eight frames of one crop film, as they come out of the file."""
    with av.open(str(stored.load("crop_video") / "2.mp4")) as opened:
        shown = [frame.to_ndarray(format="rgb24") for frame in opened.decode(video=0)][20:60:5]
    rows = [np.concatenate(shown[at : at + 4], 1) for at in (0, 4)]
    return cv2.resize(np.concatenate(rows), (800, 400), interpolation=cv2.INTER_AREA)


def windows(stored: StoredRecording) -> np.ndarray:
    """How 100 s of sound are heard: in windows that reach into their neighbours, of which the middles are kept."""
    left, wide, high, total_s = 90, 680, 22, 100
    picture = blank(190, 800)
    cores = [(start, min(start + 30, total_s)) for start in range(0, total_s, 30)]

    def bar(y: int, start_s: float, stop_s: float, colour: tuple[int, int, int]) -> None:
        x0, x1 = (left + round(at / total_s * wide) for at in (start_s, stop_s))
        fill(picture, x0, y, x1 - 1, y + high, colour)

    write(picture, 10, 21, "sound", INK)
    bar(14, 0, total_s, LINE)
    for k, (start, stop) in enumerate(cores):
        y = 44 + k * (high + 4)
        write(picture, 10, y + 7, f"window {k}", INK)
        bar(y, max(0, start - 5), min(total_s, stop + 5), LINE)
        bar(y, start, stop, HUES[k])
        bar(152, start, stop, HUES[k])
    write(picture, 10, 159, "rows kept", INK)
    for at in range(0, total_s + 1, 10):
        write(picture, left + round(at / total_s * wide) - 5, 179, f"{at} s", INK)
    return picture


def report(stored: StoredRecording) -> np.ndarray:
    """The top of the store's page as Chromium shows it."""
    return photographed(write_report(Store(stored.folder.parents[1])), PAGE)


def visemes(stored: StoredRecording) -> np.ndarray:
    """The mouth of every viseme, as the page of `phonoscope visemes --preview` draws it."""
    rows = int(stored.recording.duration_s * 100)
    page = Path("visemes.html")
    write_preview(Spoken(Sound("puppets", stored.folder / "audio.flac"), track_of([0] * rows)), page)
    with page.open("a", encoding="utf-8") as file:
        file.write(f"<script>{MOUTHS}</script>")
    return photographed(page, (1000, 660))


def photographed(page: Path, size: tuple[int, int]) -> np.ndarray:
    """The top of a page as Chromium shows it, width and height in px."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        raise RuntimeError("no chromium here to photograph the page with")
    with tempfile.TemporaryDirectory() as folder:
        shot = Path(folder) / "page.png"
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
        options += ["--disable-component-update", "--disable-sync", f"--user-data-dir={folder}/profile"]
        window = f"--window-size={size[0]},{size[1]}"
        asked = [browser, *options, "--hide-scrollbars", window, f"--screenshot={shot}", page.resolve().as_uri()]
        subprocess.run(asked, check=True, capture_output=True, timeout=120)
        with av.open(str(shot)) as opened:
            return next(opened.decode(video=0)).to_ndarray(format="rgb24")


DEMO: Mapping[str, Callable[[StoredRecording], np.ndarray]] = {
    **{name: sheet(name) for name in ("audio", "faces", "tracks", "mfcc", "vad", "asd", "thumbs")},
    **{name: first_faces(name) for name in ("landmarks", "mesh")},
    **{name: sheet(name) for name in ("pose", "motion", "mouth", "quality", "hands", "fbank", "stft")},
    "speech": windows,
    "crops": policies,
    "crop_video": crop_film,
    "face_crops": first_faces("face_crops"),
    "report": report,
    "visemes": visemes,
}
CUTS: Mapping[str, Callable[[StoredRecording], np.ndarray]] = {"shots": sheet("shots")}


def small_png(rgb: np.ndarray, colours: int = 200) -> bytes:
    """A PNG file of a picture (H, W, 3) uint8 RGB in so many colours at most: a third of the bytes."""
    graph = Graph()
    source = graph.add_buffer(
        width=rgb.shape[1], height=rgb.shape[0], format=VideoFormat("rgb24"), time_base=Fraction(1)
    )
    split, sink = graph.add("split"), graph.add("buffersink")
    palette = graph.add("palettegen", f"max_colors={colours}:reserve_transparent=0:stats_mode=full")
    use = graph.add("paletteuse", "dither=none")
    source.link_to(split)
    split.link_to(use, 0, 0)
    split.link_to(palette, 1, 0)
    palette.link_to(use, 0, 1)
    use.link_to(sink)
    graph.configure()
    frame = VideoFrame.from_ndarray(np.ascontiguousarray(rgb), "rgb24")
    frame.pts, frame.time_base = 0, Fraction(1)
    source.push(frame)
    source.push(None)
    pal8 = cast(VideoFrame, sink.pull())
    encoder = CodecContext.create("png", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = rgb.shape[1], rgb.shape[0], "pal8", Fraction(1)
    encoder.options = {"flags": "+bitexact", "threads": "1", "pred": "none", "compression_level": "9"}
    return b"".join(bytes(packet) for packet in [*encoder.encode(pal8), *encoder.encode(None)])


def main(names: list[str]) -> None:
    """Draw the named pictures, or all of them."""
    names = names or [*DEMO, *CUTS]
    HERE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        for scene, name, store, drawn in ((demo(), "puppets", "films", DEMO), (cuts_and_fades(), "cuts", "cut", CUTS)):
            if wanted := [it for it in names if it in drawn]:
                stored = prepared(name, scene, store)
                for it in wanted:
                    made = small_png(drawn[it](stored), 48 if it == "stft" else 200)
                    (HERE / f"{it}.png").write_bytes(made)
                    sys.stderr.write(f"{it}.png {len(made) / 1000:.0f} kB\n")


if __name__ == "__main__":
    main(sys.argv[1:])
