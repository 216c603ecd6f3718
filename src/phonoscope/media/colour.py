"""From the colours that film is stored in to those that screens show."""

from functools import lru_cache

import numpy as np
from av.video.reformatter import Colorspace

# weights of red and blue in luma; what a film does not say is taken for BT.601, as FFmpeg does
WEIGHTS = {
    Colorspace.ITU709: (0.2126, 0.0722),
    Colorspace.BT2020: (0.2627, 0.0593),
    Colorspace.SMPTE240M: (0.212, 0.087),
}
BT601 = (0.299, 0.114)


@lru_cache
def yuv_to_bgr(colorspace: int, full: bool) -> np.ndarray:
    """The affine map (3, 4) float32 from (Y, U, V), 0-255, to (B, G, R), 0-255.

    Args:
        full: luma goes from 0 to 255, rather than from 16 to 235.

    Source: ITU-R BT.601-7, BT.709-6, BT.2020-2.
    """
    red, blue = WEIGHTS.get(colorspace, BT601)  # type: ignore[call-overload] - an IntEnum's member or its number
    green = 1 - red - blue
    luma, chroma = (1.0, 1.0) if full else (255 / 219, 255 / 224)
    linear = np.array(
        [
            [luma, 2 * (1 - blue) * chroma, 0],
            [luma, -2 * blue * (1 - blue) / green * chroma, -2 * red * (1 - red) / green * chroma],
            [luma, 0, 2 * (1 - red) * chroma],
        ]
    )
    zero = np.array([0 if full else 16, 128, 128])
    return np.column_stack([linear, -linear @ zero]).astype(np.float32)
