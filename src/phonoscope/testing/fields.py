"""Films of which every picture comes as two fields, each a packet of its own, as some broadcasts have them."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.packet import Packet

WIDE, HIGH = 2, 4  # macroblocks of 16 px
PCM = 25  # kind of a macroblock whose samples simply stand there
TICK = Fraction(1, 90000)


class _Bits:
    """Bits as H.264 writes them."""

    def __init__(self) -> None:
        self.bits: list[int] = []

    def put(self, count: int, value: int) -> "_Bits":
        self.bits += [(value >> (count - 1 - at)) & 1 for at in range(count)]
        return self

    def golomb(self, *values: int) -> "_Bits":
        for value in values:
            size = (value + 1).bit_length()
            self.put(size - 1, 0).put(size, value + 1)
        return self

    def raw(self, data: bytes) -> "_Bits":
        self.put(-len(self.bits) % 8, 0)
        self.bits += np.unpackbits(np.frombuffer(data, np.uint8)).tolist()
        return self

    def unit(self, kind: int, leant_on: bool = True) -> bytes:
        """A unit of the stream, with 3 put in wherever its bytes would look like the start of another."""
        made = bytearray()
        for byte in np.packbits([*self.bits, 1]).tobytes():
            if made[-2:] == b"\0\0" and byte <= 3:
                made.append(3)
            made.append(byte)
        return b"\0\0\0\1" + bytes([3 * leant_on << 5 | kind]) + made


def film_of_fields(path: Path, count: int, fps: Fraction = Fraction(50), lean: int = 3) -> None:
    """A film of `count` plain grey pictures, each lighter than the one before; no picture leans on most of them.

    Args:
        path: .ts, .mkv or .mp4.
        lean: one picture in so many says that others lean on it.
    """
    heads = (
        _Bits().put(24, 77 << 16 | 30).golomb(0, 0, 0, 4, 2).put(1, 0).golomb(WIDE - 1, HIGH // 2 - 1).put(5, 0b00100)
    )
    start = heads.unit(7) + _Bits().golomb(0, 0).put(2, 0).golomb(0, 0, 0).put(3, 0).golomb(0, 0, 0).put(3, 0).unit(8)
    with av.open(f"file:{path}", "w") as film:
        stream = film.add_stream("libx264", rate=fps)  # nothing is encoded: it says what the packets are
        stream.width, stream.height, stream.pix_fmt, stream.time_base = 16 * WIDE, 16 * HIGH, "yuv420p", TICK
        stream.codec_context.extradata = start
        for picture in range(count):
            for bottom in (0, 1):
                packet = Packet((start if not bottom else b"") + _field(picture, bottom, lean))
                packet.stream, packet.time_base = stream, TICK
                packet.pts = packet.dts = round((picture + Fraction(bottom, 2)) / fps / TICK)
                packet.is_keyframe = picture == bottom == 0
                film.mux(packet)


def _field(picture: int, bottom: int, lean: int) -> bytes:
    first, leant_on = picture == bottom == 0, picture % lean == 0
    head = _Bits().golomb(0, 7, 0).put(4, -(-picture // lean) % 16).put(2, 2 | bottom)
    if first:
        head.golomb(0)
    head.put(8, (2 * picture + bottom) % 256)
    if leant_on:
        head.put(2 if first else 1, 0)
    head.golomb(0)
    for _ in range(WIDE * HIGH // 2):
        head.golomb(PCM).raw(bytes([40 + 3 * picture]) * 256 + bytes([128]) * 128)
    return head.unit(5 if first else 1, leant_on)
