"""A step's signature says all about it."""

from dataclasses import dataclass

import pytest

from phonoscope.core.media import Recording
from phonoscope.core.series import Series
from phonoscope.flow.step import read_signature, step, steps_in
from phonoscope.flow.streams import Film, Look, PartFolder
from phonoscope.models.protocols import VoiceDetector


@dataclass(frozen=True, slots=True, kw_only=True)
class EchoParams:
    gain: float = 1.0
    model: str = "auto"


@step(version=3)
def echo(
    film: Film, audio: Series | None, recording: Recording, detector: VoiceDetector, p: EchoParams
) -> Look[Series]:
    yield None
    raise NotImplementedError


def test_a_signature_tells_inputs_film_model_params_and_what_is_made():
    it = echo.step
    assert (it.name, it.version, it.inputs, it.film) == ("echo", 3, ("audio", "recording"), "film")
    assert it.optional == {"audio"} and it.params is EchoParams and it.makes is Series
    assert it.backends == {"detector": "voice_detector"} and it.backend_kind == "voice_detector"


def test_a_folder_to_write_into_is_no_input():
    def filed(film: Film, out: PartFolder) -> Look[PartFolder]:
        yield None
        return out

    it = step(version=1)(filed).step
    assert it.folder == "out" and it.inputs == ()


def test_the_function_itself_is_untouched():
    def plain(audio: Series) -> int:
        return len(audio)

    assert step(version=1)(plain) is plain


def test_a_step_that_does_not_say_what_it_makes_is_refused():
    def silent(audio: Series):
        return audio

    with pytest.raises(TypeError, match="must annotate what it returns"):
        step(version=1)(silent)


def test_params_must_be_a_dataclass():
    def loose(audio: Series, p: dict) -> Series:
        return audio

    with pytest.raises(TypeError, match="params dataclass"):
        step(version=1)(loose)


def test_every_step_of_the_project_reads_and_stores():
    from phonoscope.job import STEPS
    from phonoscope.store.codecs import CODECS, FOLDER_CODECS

    assert {"shots", "faces", "tracks", "crops", "mfcc", "vad", "asd", "thumbs", "crop_video"} <= set(STEPS)
    for it in STEPS.values():
        assert it.makes in {*CODECS, *FOLDER_CODECS, PartFolder}
        assert read_signature(it.function, it.version, it.needs, it.apart) == it


def test_two_steps_of_one_name_are_refused():
    import types

    one, two = types.ModuleType("one"), types.ModuleType("two")
    for module in (one, two):

        def shots(audio: Series) -> Series:
            return audio

        shots.__module__ = module.__name__
        module.shots = step(version=1)(shots)
    with pytest.raises(ValueError, match="two steps make 'shots'"):
        steps_in(one, two)
