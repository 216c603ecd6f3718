"""Writing a scene to a film file."""

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from phonoscope.core.time import sample_at

if TYPE_CHECKING:
    from phonoscope.testing.puppet.scene import Scene


def film(
    path: Path,
    scene: "Scene",
    *,
    video_codec: str = "libx264",
    audio_codec: str | None = "aac",
    pixel_format: str = "yuv420p",
    video_options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
) -> Path:
    """The path of the scene as a film file; its suffix says the container, and it exists only when whole.

    Args:
        audio_codec: None leaves the sound out.
        video_options: of the codec, over the defaults of x264 here: one thread, so that the bytes repeat, quality 20
            and B-frames ({"bf": "0"} turns those off).
        container_options: of the muxer, such as {"movflags": "faststart"}.
    """
    import av

    path = Path(path)
    part = path.with_name(f"{path.stem}.part{path.suffix}")
    defaults = {"crf": "20", "preset": "veryfast", "threads": "1"} if video_codec == "libx264" else {}
    with av.open(str(part), "w", options=container_options or {}) as container:
        video: Any = container.add_stream(video_codec, rate=scene.fps, options=defaults | (video_options or {}))
        video.width, video.height, video.pix_fmt = scene.width, scene.height, pixel_format
        sound: Any = None
        if audio_codec is not None:
            sound = container.add_stream(audio_codec, rate=scene.sample_rate, layout="mono")
        audio = scene.audio()
        for number, picture in enumerate(scene.frames()):
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            if sound is not None:  # side by side with the pictures, so that players need not seek to and fro
                first, last = (sample_at(frame, scene.fps, scene.sample_rate) for frame in (number, number + 1))
                container.mux(sound.encode(_audio_frame(audio[first:last], first, scene.sample_rate)))
        for stream in filter(None, (video, sound)):
            container.mux(stream.encode())
    part.replace(path)
    return path


def _audio_frame(samples: np.ndarray, first: int, sample_rate: int) -> Any:
    import av

    frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
    frame.sample_rate, frame.time_base, frame.pts = sample_rate, Fraction(1, sample_rate), first
    return frame
