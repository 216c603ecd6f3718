"""From a film to who speaks in it, by LR-ASD: three people for 24 s, and two real heads side by side."""

import tempfile
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from statistics import median

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

from bench.children import ROOT, prepare
from bench.films import kept, three_people
from bench.table import Row, Table, at_most, spread

RUNS = 3
HEADS = ("hdtf_KatieHill.mp4", "may_5s.mp4")  # 512×512 each, 25 fps
CLIPS = ROOT.parent / "shared" / "data" / "a_talking_head"
FPS = Fraction(25)


def measure() -> list[Table]:
    """Whole processes with their imports."""
    film = three_people()
    rows = [
        at_most("three people, 24 s of 720p, two cores: wall time", median(_walls(film, 2)), 7, " s"),
        Row("the same on one core", spread(_walls(film, 1), " s")),
        Row("the demo of the field, as it was measured elsewhere on two cores", "180 s"),
    ]
    if CLIPS.is_dir():
        two = kept("two-real-heads.mp4", lambda path: _beside([CLIPS / name for name in HEADS], path))
        with av.open(str(two)) as opened:
            length_s = float((opened.duration or 0) / av.time_base)
        for cores in (1, 2):
            walls = _walls(two, cores)
            rows.append(
                Row(f"two real heads, film seconds ÷ wall seconds, cores: {cores}", f"{length_s / median(walls):.2f}")
            )
    notes = (
        f"`prepare --asd.model lr-asd`, faces by what is preferred here; medians of {RUNS} runs, start-up included.",
    )
    return [Table("Who speaks, from film to scores", rows, notes)]


def _walls(film: Path, cores: int) -> list[float]:
    with tempfile.TemporaryDirectory() as folder:
        stores = [Path(folder) / str(run) for run in range(RUNS)]
        flags = ("--no-report", "--asd.model", "lr-asd")
        return [prepare([film], store, *flags, cores=cores).wall_s for store in stores]


def _beside(clips: Sequence[Path], path: Path) -> None:
    """Clips of equal height side by side for as long as the shortest lasts, with the voice of the first."""
    shown = [_pictures(clip) for clip in clips]
    count = min(map(len, shown))
    voice = _voice(clips[0])[: int(count / FPS * 16000)]
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=FPS, options={"threads": "1"})
        video.width, video.height, video.pix_fmt = sum(it[0].shape[1] for it in shown), shown[0][0].shape[0], "yuv420p"
        sound = container.add_stream("aac", rate=16000, layout="mono")
        for pictures in zip(*shown, strict=False):
            container.mux(video.encode(VideoFrame.from_ndarray(np.concatenate(pictures, 1), "rgb24")))
        heard = AudioFrame.from_ndarray(voice[None], "fltp", "mono")
        heard.sample_rate, heard.time_base, heard.pts = 16000, Fraction(1, 16000), 0
        container.mux(sound.encode(heard))
        for stream in (video, sound):
            container.mux(stream.encode(None))


def _pictures(clip: Path) -> list[np.ndarray]:
    with av.open(str(clip)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def _voice(clip: Path) -> np.ndarray:
    with av.open(str(clip)) as container:
        resampler = av.AudioResampler("flt", "mono", 16000)
        parts = [part.to_ndarray()[0] for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    return np.concatenate(parts).astype(np.float32)
