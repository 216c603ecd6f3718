"""Mixtures in the layout of seed 000: spectra, complex ratio masks and lists, in which no speaker is in two sets.

Source: https://github.com/bill9800/speech_separation, `audio_norm.py` and `build_audio_database_v2.py`.
"""

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.core.masks import complex_ratio_mask, compressed
from phonoscope.core.spectra import spectra
from phonoscope.core.stft import RECIPES
from phonoscope.corpora.avspeech import write_valid
from phonoscope.data.mix_folder import MixFolder, Write, npy, wav
from phonoscope.data.mix_job import Written, about, failed
from phonoscope.data.mix_lists import Example, example_of, lines_of
from phonoscope.data.mix_pieces import Piece
from phonoscope.data.mix_plan import Mixing, MixPlan, PlanParams
from phonoscope.data.mixing import SAMPLE_RATE, Levels, MixParams, laid
from phonoscope.data.split import SETS, TRAINING, VALIDATION

LAYOUT, VERSION = "avspeech", 1
RECIPE = "speech-separation"
IDS, VALID = "ids.csv", "valid_frame.txt"
CALLED: Mapping[str, str] = {TRAINING: "train", VALIDATION: "val"}  # sets, as the seed calls them
EQUAL = Levels(snr_db=())


@dataclass(frozen=True, slots=True, eq=False)
class SeedArrays:
    """What the seed keeps of one mixture; the last axis is real and imaginary part."""

    sound: np.ndarray  # (N,) float32
    mixture: np.ndarray  # (T, 257, 2) float64
    masks: np.ndarray  # (P, T, 257, 2) float64, compressed; each makes a voice, as loud as it is alone, of the mixture


def seed_arrays(voices: np.ndarray) -> SeedArrays:
    """The mixture of voices (P, N), each times 1/P, and the masks that part it."""
    p = MixParams(speakers=len(voices), gains="equal", normalise="none")
    sound = laid(voices, EQUAL, p).sound
    mixture = spectrum(sound)
    masks = np.stack([_parts(compressed(complex_ratio_mask(spectrum(voice), mixture))) for voice in voices])
    return SeedArrays(sound, _parts(mixture), masks)


def spectrum(sound: np.ndarray) -> np.ndarray:
    """The seed's short-time Fourier transform of sound (N,), (T, 257) complex128: 298 rows of 48000 samples."""
    cut = RECIPES[RECIPE]
    rows = cut.rows(len(sound), SAMPLE_RATE)
    made = np.empty((rows.count, rows.nfft // 2 + 1), np.complex128)
    for at, some in spectra(np.asarray(sound, np.float64), rows, cut):
        made[at : at + len(some)] = some
    return made


def peak_normalised(sound: np.ndarray) -> np.ndarray:
    """Sound (N,) float32 whose loudest sample is 1 or -1; silence stays as it is."""
    peak = np.abs(sound).max(initial=0)
    return (sound / peak if peak > 0 else sound).astype(np.float32)


def check_layout(p: PlanParams, mix: MixParams) -> None:
    """Nothing, if mixtures by these settings can be written in this layout.

    Raises:
        UsageError: there is noise, a room or loudness, which the seed has not.
    """
    for name, value in (("--noise", p.noise), ("--responses", p.responses)):
        if value is not None:
            raise UsageError(f"the layout {LAYOUT} knows no {name}: it mixes voices by 1/P; leave it out")
    if mix.normalise == "loudness":
        raise UsageError(f"the layout {LAYOUT} knows --normalise peak or none, of each voice, not loudness")


def write_avspeech(plan: MixPlan, root: Path) -> Iterator[Written]:
    """Write a plan as seed 000 has it, and tell of each mixture; what lies there and was made from the same is kept.

    `norm_audio_train/trim_audio_train{id}.wav` (or `audio_train/` unless peaks are normalised), `single/`, `mix_wav/`,
    `mix/`, `crm/`; `single_TF.txt`, `mix_log.txt`, `crm_log.txt`, `dataset.txt`, `dataset_train.txt`,
    `dataset_val.txt`, `dataset_test.txt`; with faces `AVdataset_train.txt` and so on; `valid_frame.txt`; and `ids.csv`,
    what each id is. A voice's id is its row of the catalogue. Lists hold what is whole, and are written at the end.

    Raises:
        UsageError: as of `check_layout`, or the folder holds something else.
    """
    check_layout(plan.params, plan.mix)
    folder = MixFolder(root, plan.store, LAYOUT)
    with folder.held():
        folder.write_about(about(plan))
        mixings = [it for part in plan.sets.values() for it in part]
        used = {piece.number: piece for it in mixings for piece in it.pieces}
        names = {example_of(_ids(it)).mixture for it in mixings} | {_single(number) for number in used}
        folder.forget(lambda name: True, names)
        broken = {}
        for number, piece in sorted(used.items()):
            try:
                _write_single(plan, folder, piece)
            except Exception as error:  # noqa: BLE001 - this voice stops, with its reason; the others go on
                broken[number] = failed(error, [piece])
        done: list[tuple[Mixing, Example]] = []
        for mixing in mixings:
            lost = next((broken[it] for it in _ids(mixing) if it in broken), None)
            told = Written(name=mixing.name, failure=lost) if lost else _write_mixture(plan, folder, mixing)
            if not told.failure:
                done.append((mixing, example_of(_ids(mixing))))
            yield told
        _write_lists(plan, folder, [it for number, it in sorted(used.items()) if number not in broken], done)


def _write_single(plan: MixPlan, folder: MixFolder, piece: Piece) -> None:
    key, name = _key(plan, [piece]), _single(piece.number)
    if not folder.has(name, key):
        sound = _sound(plan, piece)
        where = "norm_audio_train" if plan.mix.normalise == "peak" else "audio_train"
        path = f"{where}/trim_audio_train{piece.number}.wav"
        folder.keep(name, key, {path: wav(sound), f"single/{name}": npy(_parts(spectrum(sound)))})


def _write_mixture(plan: MixPlan, folder: MixFolder, mixing: Mixing) -> Written:
    example = example_of(_ids(mixing))
    try:
        key = _key(plan, mixing.pieces)
        if folder.has(example.mixture, key):
            return Written(name=example.mixture)
        made = seed_arrays(np.stack([_sound(plan, piece) for piece in mixing.pieces]))
        files: dict[str, Write] = {f"mix_wav/{example.mixture.removesuffix('.npy')}.wav": wav(made.sound)}
        files |= {f"crm/{name}": npy(mask) for name, mask in zip(example.masks, made.masks, strict=True)}
        folder.keep(example.mixture, key, files | {f"mix/{example.mixture}": npy(made.mixture)})
        return Written(name=example.mixture, made=True)
    except Exception as error:  # noqa: BLE001 - this mixture stops, with its reason; the others go on
        return Written(name=example.mixture, failure=failed(error, mixing.pieces))


def _write_lists(
    plan: MixPlan, folder: MixFolder, pieces: Sequence[Piece], done: Sequence[tuple[Mixing, Example]]
) -> None:
    folder.write("single_TF.txt", lines_of(_single(it.number) for it in pieces))
    folder.write("mix_log.txt", lines_of(it.mixture for _, it in done))
    folder.write("crm_log.txt", lines_of(mask for _, it in done for mask in it.masks))
    folder.write("dataset.txt", lines_of(it.line for _, it in done))
    for split in dict.fromkeys([*SETS, *plan.sets]):
        mine, called = [it for mixing, it in done if mixing.split == split], CALLED.get(split, split)
        folder.write(f"dataset_{called}.txt", lines_of(it.line for it in mine))
        folder.write(f"AVdataset_{called}.txt", lines_of(it.with_faces().line for it in mine))
    write_valid(folder.root / VALID, {it.number: it.seen for it in plan.pieces}, plan.params.max_missing)
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["id", "recording", "track", "start_frame", "stop_frame", "speaker", "set", "seen"])
    for it in pieces:
        voice = it.voice
        place = [it.number, voice.stored.folder.name, voice.track, it.span.start, it.span.stop]
        rows.writerow([*place, voice.speaker, voice.split, f"{it.seen:.4f}"])
    folder.write(IDS, text.getvalue().encode())


def _sound(plan: MixPlan, piece: Piece) -> np.ndarray:
    sound = piece.audio()
    return peak_normalised(sound) if plan.mix.normalise == "peak" else sound


def _key(plan: MixPlan, pieces: Sequence[Piece]) -> str:
    parts = [[it.voice.stored.receipts["audio"].key, it.span.start, it.span.stop] for it in pieces]
    return hashlib.sha256(msgspec.json.encode([LAYOUT, VERSION, plan.mix.normalise, parts])).hexdigest()[:16]


def _single(number: int) -> str:
    return f"single-{number:05d}.npy"


def _ids(mixing: Mixing) -> list[int]:
    return [piece.number for piece in mixing.pieces]


def _parts(values: np.ndarray) -> np.ndarray:
    """Real and imaginary part of (…,) complex, (…, 2) float64."""
    return np.stack([np.real(values), np.imag(values)], -1)
