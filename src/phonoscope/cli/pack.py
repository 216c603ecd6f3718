"""`phonoscope pack`: a store's clips as other people's trainers read them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from tyro.conf import Positional, arg

from phonoscope.cli.options import parse
from phonoscope.core.errors import UsageError
from phonoscope.data import pack as api
from phonoscope.flow.shard import Shard

Named = Literal[
    "talking-face", "ava-csv", "rttm", "annotheia", "annotheia-clips", "overlay", "avspeech-embeddings",
    "avspeech-faces",
    "clips", "lhotse", "webdataset", "parquet", "hf",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Pack:
    """Write the clips of a store into a folder, in a layout that trainers read. A clip is a track, or one you chose.

    phonoscope pack films --as talking-face --to heads
    phonoscope pack films --as talking-face --to heads --clips clips.parquet --expand 0.8 --float
    phonoscope pack films --as talking-face --to heads --missing drop-clip --dry-run
    phonoscope pack films --as ava-csv --to scores
    phonoscope pack films --as webdataset --to shards --clips clips.parquet --webdataset.size 224

    talking-face: square films of faces, numbered PNGs, landmarks, pose, sound, speech features, as
    talking_face_preprocessing writes them; those that the store has. --expand, --float, --missing and --speech-rows
    are its own. ava-csv: scores of speaking as AVA's evaluation reads predictions.
    rttm: turns of speakers. annotheia: a table of stretches of speech for people to look through.
    annotheia-clips: film, sound and face of each stretch that they accepted.
    overlay: the film with a box around each face, green while it speaks. Each has options under its own name.
    avspeech-embeddings: what each face looks like, frame by frame, as separation's seed reads it.
    avspeech-faces: the faces themselves, a JPEG a frame, and which clips lack none.
    clips: a film, a sound and a page of JSON each, in a folder a set. lhotse: the same, with Lhotse's manifests.
    webdataset: the same in tar shards. parquet: a row a clip. hf: the same for Hugging Face's load_dataset.
    clips.csv tells what came from where.

    The same command again packs only what is missing or has changed.
    """

    store: Positional[Path | str]
    as_: Annotated[Named, arg(name="as")]  # the layout
    to: Path  # a new folder, or one packed before in the same layout
    clips: Path | None = None  # table of clips, as `phonoscope select --to` writes it; by default every track
    only: tuple[str, ...] = ()  # recordings, by id or by a part of it that only one has; by default all
    expand: float = 0.6  # how much wider than the face the square is, 0.6: by 60 %
    sub_pixel: Annotated[bool, arg(name="float")] = False  # landmarks with three decimals instead of whole numbers
    missing: Literal["repeat", "drop-clip", "nan"] = "repeat"  # frames without landmarks: what stands for them
    speech_rows: Literal["two-a-frame", "as-heard", "plus-one"] = "two-a-frame"  # of speech features
    ava_csv: api.AvaCsvParams = field(default_factory=api.AvaCsvParams)
    rttm: api.RttmParams = field(default_factory=api.RttmParams)
    annotheia: api.AnnotheiaParams = field(default_factory=api.AnnotheiaParams)
    annotheia_clips: api.AnnotheiaClipsParams = field(default_factory=api.AnnotheiaClipsParams)
    overlay: api.OverlayParams = field(default_factory=api.OverlayParams)
    avspeech_embeddings: api.AvspeechEmbeddingsParams = field(default_factory=api.AvspeechEmbeddingsParams)
    avspeech_faces: api.AvspeechFacesParams = field(default_factory=api.AvspeechFacesParams)
    clips_: Annotated[api.ClipsParams, arg(name="clips")] = field(default_factory=api.ClipsParams)
    lhotse: api.ClipsParams = field(default_factory=api.ClipsParams)
    webdataset: api.ShardParams = field(default_factory=api.ShardParams)
    parquet: api.ShardParams = field(default_factory=api.ShardParams)
    hf: api.ShardParams = field(default_factory=api.ShardParams)
    shard: str | None = None  # i/n, as in 2/8: take only this part of the recordings, or of the shards
    dry_run: bool = False  # say what would be packed, and write nothing
    json: bool = False  # a line of JSON a recording, for programs


def main(arguments: Sequence[str]) -> int:
    """Run the verb. Exit code 1 if a recording failed."""
    options, _ = parse(Pack, arguments, with_params=False)
    params = _params(options)
    shard = Shard.parse(options.shard) if options.shard else None
    job = api.pack(options.store, options.to, options.as_, options.clips, options.only, params, shard=shard)
    told = job.foretell() if options.dry_run else job.carry_out()
    if options.json:
        return _as_json(told)
    return _as_lines(told, options)


def _params(options: Pack) -> Any:
    """The settings of the layout that was asked for.

    Raises:
        UsageError: settings of another one were given.
    """
    given = {name: getattr(options, name.replace("-", "_"), None) for name in api.LAYOUTS}
    given["clips"] = options.clips_  # --clips is the table
    given["talking-face"] = api.TalkingFaceParams(
        expand=options.expand, sub_pixel=options.sub_pixel, missing=options.missing, speech_rows=options.speech_rows
    )
    for name, params in given.items():
        if name != options.as_ and params != api.LAYOUTS[name].params():
            raise UsageError(f"options of {name} were given, but what is asked for is --as {options.as_}")
    return given[options.as_]


def _as_json(told: Iterable[api.Packed]) -> int:
    failed = False
    for packed in told:
        failed = failed or packed.failure is not None
        print(msgspec.json.encode(packed).decode(), flush=True)
    return int(failed)


def _as_lines(told: Iterable[api.Packed], options: Pack) -> int:
    would = "would be " if options.dry_run else ""
    counts: Counter[str] = Counter()
    lacking: dict[str, None] = {}  # in order of appearance
    failed = total = 0
    for packed in told:
        print(_line(packed, would), flush=True)
        counts.update({"packed": len(packed.made), "kept": len(packed.kept), "left out": len(packed.left_out)})
        lacking.update(dict.fromkeys(packed.lacking))
        failed, total = failed + (packed.failure is not None), total + 1
    clips = ", ".join(f"{count} {would}{what}" for what, count in counts.items() if count) or "no clips"
    table = options.to / "clips.csv"
    listed = f"; {table} lists all that is there" if table.exists() and not would else ""
    print(f"{options.to}: {clips}{listed}" + (f"; {failed} of {total} recordings failed" if failed else ""))
    if lacking:
        model = " --speech.model FOLDER" if "speech" in lacking else ""
        make = f"`phonoscope run {' '.join(lacking)} {options.store}{model}` makes them"
        print(f"without {', '.join(lacking)}, where the store has none that are fresh: {make}")
    return int(failed > 0)


def _line(packed: api.Packed, would: str) -> str:
    """One recording in one line."""
    if why := packed.failure:
        return f"failed  {packed.recording}: {why.reason}: {why.message}"
    parts = [f"{len(packed.made)} {would}packed"] if packed.made else []
    parts += [f"{len(packed.kept)} kept"] if packed.kept else []
    parts += [f"{name} {would}left out ({why})" for name, why in packed.left_out.items()]
    return f"{packed.recording}: " + "; ".join([", ".join(parts) or "no clips", *packed.notes])
