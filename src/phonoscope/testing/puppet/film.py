"""Writing a scene to a film file."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from phonoscope.testing.puppet.scene import Scene


def film(
    path: Path,
    scene: "Scene",
    *,
    video_codec: str = "libx264",
    audio_codec: str | None = "aac",
    video_options: dict[str, str] | None = None,
    pixel_format: str = "yuv420p",
) -> Path:
    """The scene as a file; the container follows from the suffix.

    Args:
        audio_codec: None leaves the sound out.
        video_options: of the codec; by default quality 20 with B-frames, one thread, so that the bytes repeat.
    """
    import av

    with av.open(str(path), "w") as container:
        video = container.add_stream(video_codec, rate=scene.fps, options=video_options or _options(video_codec))
        video.width, video.height, video.pix_fmt = scene.width, scene.height, pixel_format
        sound = container.add_stream(audio_codec, rate=scene.sample_rate, layout="mono") if audio_codec else None
        for picture in scene.frames():
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(video.encode())
        if sound:
            samples = av.AudioFrame.from_ndarray(scene.audio()[None], format="fltp", layout="mono")
            samples.sample_rate = scene.sample_rate
            container.mux(sound.encode(samples))
            container.mux(sound.encode())
    return Path(path)


def _options(codec: str) -> dict[str, str]:
    return {"crf": "20", "preset": "veryfast", "threads": "1"} if codec == "libx264" else {}
