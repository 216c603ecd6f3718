"""Real film that is cut into units gives the bytes of film that is not, with the models that people use."""

from dataclasses import replace
from fractions import Fraction
from importlib.util import find_spec
from itertools import islice

import av
import numpy as np
import pytest

from phonoscope import prepare
from phonoscope.flow.executors import Here
from phonoscope.flow.rounds import in_rounds
from phonoscope.job import DEFAULT, STEPS
from phonoscope.media.encode import FilmWriter
from phonoscope.testing.quick import fingerprint

pytestmark = [pytest.mark.real, pytest.mark.slow]

CLIPS = ("a_talking_head/grid_bbaf2n.mpg", "b_multi_face", "a_talking_head/grid_lbax4n.mpg")
LENGTH = 30  # frames of each


@pytest.fixture(scope="module")
def film(shared_data, tmp_path_factory):
    """Three clips, one after the other; instead of their sound there is noise."""
    path = tmp_path_factory.mktemp("films") / "three clips.mp4"
    noise = np.random.default_rng(3).normal(0, 0.05, 640).astype(np.float32)
    with FilmWriter(path, (360, 640), Fraction(25), 16000, preset="veryfast") as writer:
        for clip in CLIPS:
            place = shared_data / clip
            with av.open(str(min(place.glob("*.mp4")) if place.is_dir() else place)) as container:
                for frame in islice(container.decode(video=0), LENGTH):
                    writer.picture(frame.reformat(640, 360, "yuv420p"))
                    writer.sound(noise)
    return path


def test_units_give_the_same_bytes(film, shared_weights, tmp_path):
    names = (*DEFAULT, *(name for name, step in STEPS.items() if step.apart))
    if find_spec("dlib") is None:
        names = tuple(name for name in names if name != "embeddings")  # its default model is an extra
    whole, cut = (prepare([film], tmp_path / name, names) for name in ("whole", "cut"))
    assert [it.failure for it in whole.carry_out()] == [None]
    told = set()
    work = replace(cut.work, unit_minutes=LENGTH / 25 / 60)
    (outcome,) = in_rounds(Here(), work, cut.items, lambda name, *_: told.add(name.rpartition("/")[2]))
    assert outcome.failure is None and {"2", "3"} & told
    assert fingerprint(tmp_path / "cut") == fingerprint(tmp_path / "whole")
