"""The films that are measured on: drawn once, kept in .cache/bench, remade if they are deleted."""

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

from phonoscope.core.time import sample_at
from phonoscope.testing.puppet import Head, Scene, Seat, Shot, Speech, View, two_heads_taking_turns
from phonoscope.testing.puppet import film as write_scene

FOLDER = Path(__file__).resolve().parents[1] / ".cache" / "bench"
NTSC = Fraction(30000, 1001)


def kept(name: str, make: Callable[[Path], object]) -> Path:
    """The film of that name; `make` writes it if it is not there yet."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / name
    if not path.exists():
        part = path.with_name(f"{path.stem}.part{path.suffix}")
        make(part)
        part.replace(path)
    return path


def conversation(seconds: float = 60.0) -> Path:
    """Two people who take turns: 1280×720, 29.97 fps, with grain and a camera that drifts, about 3 Mbit/s of H.264."""
    return kept(f"conversation-{seconds:g}s.mp4", lambda path: _write_grainy(path, _conversation(seconds), 3_000_000))


def monologue(seconds: float = 60.0) -> Path:
    """One person who talks, filmed in the same way."""
    seats = (Seat(0, 640, 345, 300, 3.0),)
    scene = _scene(seconds, seats, 1280, 720, NTSC, drift=16)
    return kept(f"monologue-{seconds:g}s.mp4", lambda path: _write_grainy(path, scene, 3_000_000))


def three_people(seconds: float = 24.0) -> Path:
    """Three people who take turns, 1280×720 at 25 fps, faces of about 100 px: what the field's demos are shown on."""

    def make(path: Path) -> None:
        seats = tuple(Seat(at, 240 + 400 * at, 340, 150, 5.0 * (1 - at)) for at in range(3))
        _write_grainy(path, _scene(seconds, seats, 1280, 720, Fraction(25), drift=16), 3_000_000)

    return kept(f"three-people-{seconds:g}s.mp4", make)


def minute() -> Path:
    """A minute of two people, 320×180 at 25 fps."""

    def make(path: Path) -> None:
        seats = (Seat(0, 95, 82, 70, 6.0), Seat(1, 225, 82, 70, -6.0))
        write_scene(path, _scene(60, seats, 320, 180, Fraction(25)), video_options={"g": "50", "bf": "0"})

    return kept("minute.mp4", make)


def small(seconds: int = 10) -> Path:
    """Two people who take turns, 640×360 at 25 fps."""
    return kept(f"small-{seconds}s.mp4", lambda path: write_scene(path, two_heads_taking_turns(seconds)))


def copies(film: Path, count: int, folder: Path) -> list[Path]:
    """Copies that show the same but are other bytes: each ends in a free box of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = film.read_bytes()
    made = []
    for number in range(count):
        box = (16).to_bytes(4, "big") + b"free" + number.to_bytes(8, "big")
        made.append(folder / f"{film.stem}-{number:03d}.mp4")
        made[-1].write_bytes(whole + box)
    return made


def repeated(film: Path, times: int) -> Path:
    """The film so many times over, its packets copied, with Matroska around them."""
    return kept(f"{film.stem}-{times}-times.mkv", lambda path: _repeat(film, times, path))


def _scene(seconds: float, seats: tuple[Seat, ...], width: int, height: int, fps: Fraction, drift: float = 0) -> Scene:
    starts = [0.25 + 2.5 * turn for turn in range(int(seconds / 2.5))]
    turns = [(start, min(start + 2.0, seconds - 0.2)) for start in starts if seconds - start > 0.7]
    heads = tuple(Head(seat.head, Speech(seat.head, tuple(turns[seat.head :: max(2, len(seats))]))) for seat in seats)
    middle = width / 2, height / 2
    camera = (View(*middle), View(middle[0] + drift, middle[1], 1.02)) if drift else None
    shot = Shot(round(seconds * fps), seats, 0, camera=camera)
    return Scene(heads=heads, shots=(shot,), width=width, height=height, fps=fps)


def _conversation(seconds: float) -> Scene:
    return _scene(seconds, (Seat(0, 400, 335, 250, 7.0), Seat(1, 880, 335, 250, -7.0)), 1280, 720, NTSC, drift=16)


def _write_grainy(path: Path, scene: Scene, bit_rate: int) -> None:
    """A scene as a camera and a video site would leave it: film grain, x264 at its own preset, a given bit rate."""
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream("libx264", rate=scene.fps, options={"preset": "medium", "threads": "1"})
        video.width, video.height, video.pix_fmt, video.bit_rate = scene.width, scene.height, "yuv420p", bit_rate
        sound: Any = container.add_stream("aac", rate=scene.sample_rate, layout="mono")
        audio = scene.audio()
        for number, picture in enumerate(_grainy(scene.frames())):
            container.mux(video.encode(VideoFrame.from_ndarray(picture, "rgb24")))
            first, last = (sample_at(frame, scene.fps, scene.sample_rate) for frame in (number, number + 1))
            heard = AudioFrame.from_ndarray(audio[None, first:last], "fltp", "mono")
            heard.sample_rate, heard.time_base, heard.pts = scene.sample_rate, Fraction(1, scene.sample_rate), first
            container.mux(sound.encode(heard))
        for stream in (video, sound):
            container.mux(stream.encode(None))


def _grainy(pictures: Iterable[np.ndarray], grain: float = 3.0) -> Iterator[np.ndarray]:
    """Pictures with grain of that many grey levels RMS: one field of it, put down elsewhere in every picture."""
    rng = np.random.default_rng(0)
    field = None
    for picture in pictures:
        height, width = picture.shape[:2]
        if field is None:
            field = np.rint(rng.normal(0, grain, (height + 64, width + 64, 1))).astype(np.int16)
        y, x = rng.integers(0, 64, 2)
        yield np.clip(picture + field[y : y + height, x : x + width], 0, 255).astype(np.uint8)


def _repeat(film: Path, times: int, path: Path) -> None:
    with av.open(str(path), "w") as copy:
        ours: dict[int, Any] = {}
        for turn in range(times):
            with av.open(str(film)) as whole:
                streams = [*whole.streams.video, *whole.streams.audio]
                ours = ours or {stream.index: copy.add_stream_from_template(stream) for stream in streams}
                length = whole.streams.video[0].frames / Fraction(whole.streams.video[0].average_rate or 25)
                for packet in whole.demux(*streams):
                    if packet.dts is None or packet.pts is None:
                        continue
                    shift = round(turn * length / packet.time_base)
                    if not turn or packet.pts >= 0:  # the sound's priming comes once
                        packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                        packet.stream = ours[packet.stream_index]
                        copy.mux(packet)
