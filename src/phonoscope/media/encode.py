"""Writing films and pictures; the same arrays give the same bytes."""

import os
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec.context import CodecContext
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream

AAC_FRAME = 1024  # samples


class FilmWriter:
    """Writes an mp4 (H.264, AAC) frame by frame; the file appears, whole, when the `with` block ends well.

    Sound and picture begin together. The encoder's priming samples lie before time 0 and are hidden by an edit
    list, which browsers and FFmpeg honour.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        fps: Fraction,
        sample_rate: int = 0,
        *,
        crf: int = 18,
        preset: str = "medium",
        audio_bit_rate: int = 96_000,
    ) -> None:
        """A film to be written.

        Args:
            size: (h, w) px, both even.
            sample_rate: Hz; 0 for a silent film.
            crf: x264's quality, lower is better.
            preset: x264's care, from "ultrafast" to "placebo": the slower, the smaller.
            audio_bit_rate: of the AAC, bits a second.

        Raises:
            ValueError: a side is odd, or a rate is not positive.
        """
        if size[0] % 2 or size[1] % 2 or fps <= 0 or sample_rate < 0:
            raise ValueError(f"a film has even sides and positive rates, got {size}, {fps} fps, {sample_rate} Hz")
        self.path, self.size, self.fps, self.sample_rate = path, size, fps, sample_rate
        self.frames = self.samples = 0  # written so far
        self._crf, self._preset, self._bit_rate = crf, preset, audio_bit_rate
        self._part = path.with_name(path.name + ".part")

    def __enter__(self) -> Self:
        options = {"movflags": "+faststart", "fflags": "+bitexact", "use_editlist": "1"}
        self._container = av.open(f"file:{self._part}", "w", format="mp4", options=options)
        self._video = self._add_video()
        self._audio = self._add_audio() if self.sample_rate else None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            try:
                if error is None:
                    self._finish()
            finally:
                self._container.close()
            if error is None:
                with self._part.open("rb+") as written:
                    os.fsync(written.fileno())
                self._part.replace(self.path)
        finally:
            self._part.unlink(missing_ok=True)

    def picture(self, image: np.ndarray | VideoFrame) -> None:
        """Add the next frame, (H, W, 3) uint8 RGB or yuv420p; a video frame is given away, its time is overwritten.

        The first frame says which matrix the colours of the film are stored with.

        Raises:
            ValueError: it has another size.
        """
        height, width = self.size
        shape = (image.height, image.width) if isinstance(image, VideoFrame) else image.shape[:2]
        if shape != self.size:
            raise ValueError(f"this film is {width} × {height} px, the frame is {shape[1]} × {shape[0]}")
        frame = image if isinstance(image, VideoFrame) else _yuv(image)
        frame = frame.reformat(format="yuv420p", dst_color_range=ColorRange.MPEG, threads=1)
        frame.pts, frame.time_base = self.frames, 1 / self.fps
        frame.pict_type = 0
        if not self.frames:
            self._video.codec_context.colorspace = frame.colorspace
        self._container.mux(self._video.encode(frame))
        self.frames += 1

    def sound(self, samples: np.ndarray) -> None:
        """Add the next samples, (N,) float32 in [-1, 1]; best in small pieces, between the pictures that they go with.

        Raises:
            ValueError: the film is silent.
        """
        if self._audio is None:
            raise ValueError("this film has no sound: give FilmWriter a sample_rate")
        if not len(samples):
            return
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples, np.float32)[None], "fltp", "mono")
        frame.sample_rate, frame.pts, frame.time_base = self.sample_rate, self.samples, Fraction(1, self.sample_rate)
        self._container.mux(self._audio.encode(frame))
        self.samples += len(samples)

    def _add_video(self) -> VideoStream:
        options = {"crf": str(self._crf), "preset": self._preset, "threads": "1"}
        stream = self._container.add_stream("libx264", rate=self.fps, options=options)
        stream.height, stream.width = self.size
        stream.pix_fmt = "yuv420p"
        stream.time_base = 1 / self.fps
        stream.codec_context.time_base = 1 / self.fps
        stream.codec_context.color_range = ColorRange.MPEG
        return stream

    def _add_audio(self) -> AudioStream:
        stream = self._container.add_stream("aac", rate=self.sample_rate)
        stream.bit_rate, stream.layout = self._bit_rate, "mono"
        return stream

    def _finish(self) -> None:
        if not self.frames:
            raise ValueError(f"{self.path.name}: a film needs at least one frame")
        packets: list[Packet] = self._video.encode(None)
        self._container.mux(packets)
        if self._audio is not None:
            self._container.mux(self._audio.encode(None))


def write_film(
    path: Path,
    frames: Iterable[np.ndarray | VideoFrame],
    fps: Fraction,
    audio: np.ndarray | None = None,
    sample_rate: int = 0,
    *,
    crf: int = 18,
) -> None:
    """An mp4 of frames (H, W, 3) uint8 RGB or yuv420p, with sound (N,) float32 in [-1, 1] if there is any.

    Raises:
        ValueError: there are no frames, their sizes differ or are odd, or the sound has no rate.
    """
    if audio is not None and sample_rate <= 0:
        raise ValueError(f"sound needs a positive sample_rate, got {sample_rate}")
    pending = iter(frames)
    first = next(pending, None)
    if first is None:
        raise ValueError(f"{path.name}: a film needs at least one frame")
    size = (first.height, first.width) if isinstance(first, VideoFrame) else first.shape[:2]
    with FilmWriter(path, (size[0], size[1]), fps, sample_rate if audio is not None else 0, crf=crf) as film:
        film.picture(first)
        for frame in pending:
            if audio is not None:
                film.sound(audio[film.samples : round(film.frames * sample_rate / fps)])
            film.picture(frame)
        if audio is not None:
            film.sound(audio[film.samples :])


def _yuv(rgb: np.ndarray) -> VideoFrame:
    """A frame of an array (H, W, 3) uint8, as limited-range BT.601."""
    frame = VideoFrame.from_ndarray(np.ascontiguousarray(rgb, np.uint8), "rgb24")
    return frame.reformat(
        format="yuv420p", dst_colorspace=Colorspace.ITU601, dst_color_range=ColorRange.MPEG, threads=1
    )


def jpeg(rgb: np.ndarray, quality: int = 90) -> bytes:
    """A JPEG file of a picture (H, W, 3) uint8 RGB; quality from 1 to 100.

    Raises:
        ValueError: the quality lies outside.
    """
    if not 1 <= quality <= 100:
        raise ValueError(f"quality goes from 1 to 100, got {quality}")
    step = str(round(2 + (100 - quality) * 29 / 99))  # quantiser 2 (best) … 31
    return _still(rgb, "mjpeg", "yuvj444p", {"qmin": step, "qmax": step, "huffman": "optimal"})


def png(picture: np.ndarray) -> bytes:
    """A PNG file of a picture (H, W, 3) uint8 RGB, or (H, W) grey."""
    return _still(picture, "png", "gray" if picture.ndim == 2 else "rgb24", {"pred": "mixed"})


def _still(picture: np.ndarray, codec: str, pix_fmt: str, options: dict[str, str]) -> bytes:
    given = "gray" if picture.ndim == 2 else "rgb24"
    frame = VideoFrame.from_ndarray(np.ascontiguousarray(picture, np.uint8), given)
    encoder = cast(VideoCodecContext, CodecContext.create(codec, "w"))
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, pix_fmt
    encoder.time_base = Fraction(1)
    encoder.options = options | {"flags": "+bitexact", "threads": "1"}
    converted = frame.reformat(
        format=pix_fmt, dst_colorspace=Colorspace.ITU601, dst_color_range=ColorRange.JPEG, threads=1
    )
    converted.pts = 0
    return b"".join(bytes(packet) for packet in [*encoder.encode(converted), *encoder.encode(None)])
