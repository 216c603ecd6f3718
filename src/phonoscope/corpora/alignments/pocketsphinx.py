"""What pocketsphinx says of an alignment: JSON with words and the phones in them, and .matchseg with words.

Source: cmusphinx/pocketsphinx, BSD-2-Clause: programs/pocketsphinx_main.c, programs/pocketsphinx_batch.c.
"""

import re

import msgspec

from phonoscope.core.phones import Interval
from phonoscope.corpora.alignments.parts import Ask, Parts, rows_of, seconds

A_SECOND = 100  # frames in a .matchseg

_AGAIN = re.compile(r"\(\d+\)$")  # and(2) is the second way to say "and"


class _Said(msgspec.Struct):
    b: float  # s, begins
    d: float  # s, lasts
    t: str
    w: list["_Said"] = []

    @property
    def interval(self) -> Interval:
        return Interval(round(self.b, 6), round(self.b + self.d, 6), _AGAIN.sub("", self.t))


_LINE = msgspec.json.Decoder(_Said)


def read_json(text: str, ask: Ask) -> dict[str, Parts]:
    """All utterances of a file, a line each, as one sound: utterances hold words, words hold phones.

    Raises:
        ValueError: it is other JSON.
    """
    try:
        said = [_LINE.decode(line) for line in text.splitlines() if line.strip()]
    except msgspec.MsgspecError as error:
        raise ValueError(f"is no JSON of pocketsphinx's, b, d, t and w nested: {error}") from None
    words = [word for utterance in said for word in utterance.w]
    return {
        ask.name: Parts(
            phones=tuple(phone.interval for word in words for phone in word.w),
            words=tuple(word.interval for word in words),
            duration_s=max((it.interval.stop_s for it in said), default=0.0),
        )
    }


def read_matchseg(text: str, ask: Ask) -> dict[str, Parts]:
    """The words of each utterance, a line each: its name, four scores with a letter each, words, the last frame.

    Raises:
        ValueError: a line is none of such a file's.
    """
    found = {}
    for number, (name, *fields) in rows_of(text):
        segments, last = fields[8:-1], fields[-1] if fields else ""
        if fields[:7:2] != ["S", "T", "A", "L"] or len(segments) % 4:
            raise ValueError(f"line {number}: expected name, S, T, A and L with scores, then segments of four columns")
        starts = [seconds(word, number, A_SECOND) for word in segments[::4]] + [seconds(last, number, A_SECOND)]
        texts = [_AGAIN.sub("", word) for word in segments[3::4]]
        words = tuple(map(Interval, starts, starts[1:], texts))
        found[name] = Parts(words=words, duration_s=starts[-1])
    return found
