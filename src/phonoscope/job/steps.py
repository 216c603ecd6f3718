"""Which steps there are."""

from collections.abc import Mapping

from phonoscope.flow.step import Step, steps_in
from phonoscope.steps import (
    asd,
    crop_video,
    crops,
    embeddings,
    face_crops,
    faces,
    fbank,
    hands,
    landmarks,
    lips,
    mesh,
    mfcc,
    motion,
    mouth,
    people,
    pose,
    quality,
    shots,
    speech,
    stft,
    thumbs,
    tracks,
    vad,
    visemes,
)

STEPS: Mapping[str, Step] = steps_in(
    shots, faces, tracks, crops, mfcc, vad, asd, thumbs, crop_video,
    landmarks, mesh, pose, motion, mouth, quality, hands, speech, fbank, stft, face_crops,
    embeddings, people, visemes, lips,
)  # fmt: skip
DEFAULT = ("shots", "faces", "tracks", "crops", "mfcc", "vad", "asd", "thumbs")
