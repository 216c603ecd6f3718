"""Where the weights of models lie: the cache, then a mirror folder, then the sources that a card names.

The cache is $PHONOSCOPE_HOME/weights, the mirror $PHONOSCOPE_MODELS; whatever is found is used only if its sha256 is
the card's.
"""

import contextlib
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from phonoscope.core.errors import MissingWeights, UsageError
from phonoscope.models import pretrained
from phonoscope.models.cards import Card
from phonoscope.models.fetch import FetchError, beside, installed, opened
from phonoscope.models.hashes import sha256_of
from phonoscope.store.home import home

Say = Callable[[str], object]

# A warning is shown even where nobody has set up logging, so nothing is ever fetched in silence.
aloud: Say = logging.getLogger("phonoscope").warning


def weights(card: Card, *, say: Say = aloud) -> Path:
    """The file of a model's weights, checked; fetched into the cache if it lies nowhere here.

    Args:
        say: is told in one line, before anything is fetched: what, from where, under which licence, how large.

    Raises:
        UsageError: the model has no weights.
        MissingWeights: no place has them; the message says what was tried and what to do.
    """
    if pretrained.is_one(card):
        return pretrained.fetched(card, say)
    if not card.sha256:
        raise UsageError(f"'{card.name}' has no weights to fetch" + (f": {card.notes}" if card.sources else ""))
    return resolve(card, say)


def where(card: Card) -> str | None:
    """From where weights would be loaded without fetching anything, as "cache PATH", "mirror PATH" or "package PATH".

    None if they would have to be fetched; "none needed" for a model without weights, "a file that you give" for one
    whose weights nobody publishes.
    """
    if pretrained.is_one(card):
        return pretrained.here(card)
    if not card.sha256:
        return "a file that you give" if card.sources else "none needed"
    return next((f"{place} {path}" for place, _, path in _here(card) if path is not None), None)


def cached(card: Card) -> Path:
    """Where a model's weights lie, or would lie, in the cache."""
    source = card.sources[0] if card.sources else ""
    return home() / "weights" / f"{card.name}-{card.sha256[:12]}{PurePosixPath(source).suffix}"


def resolve(card: Card, say: Say) -> Path:
    """As `weights`, of a card that is known to have some."""
    tried: list[str] = []
    for place, folder, path in _here(card):
        if path is not None:
            return path
        spoilt = " (what lies there has another sha256)" if place == "cache" and cached(card).exists() else ""
        tried.append(f"not in the {place} {folder}{spoilt}")
    if not os.environ.get("PHONOSCOPE_MODELS"):
        tried.append("no mirror folder is set")
    for source in card.sources:
        size = card.download_size or card.size
        about = f"about {size / 1e6:.1f} MB" if size else "size unknown"
        say(f"fetching the weights of {card.name} {card.version} from {source} ({card.licence}, {about})")
        try:
            with opened(source) as file:
                return _keep(file, card, say)
        except (FetchError, OSError) as error:  # OSError: the cache cannot be written, or the disk is full
            tried.append(f"{source}: {error}")
    raise MissingWeights(
        f"no weights for '{card.name}': {'; '.join(tried)}. Put the file with sha256 {card.sha256} into a folder "
        f"named by PHONOSCOPE_MODELS, or try `phonoscope models pull {card.name}`"
    )


def _here(card: Card) -> Iterator[tuple[str, Path, Path | None]]:
    """Places of this machine where the weights may lie: kind, folder, and the file with the right sha256 or None."""
    path = cached(card)
    yield "cache", path.parent, path if path.is_file() and sha256_of(path) == card.sha256 else None
    if given := os.environ.get("PHONOSCOPE_MODELS"):
        mirror = Path(given).expanduser()
        yield "mirror", mirror, _mirrored(mirror, card)
    for source in card.sources:
        if path := beside(source) or installed(source):
            yield "package", path.parent, path if sha256_of(path) == card.sha256 else None


def _mirrored(folder: Path, card: Card) -> Path | None:
    """The file below a folder whose sha256 is the card's, whatever its name."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    likely = (path for path in files if not card.size or path.stat().st_size == card.size)
    return next((path for path in likely if sha256_of(path) == card.sha256), None)


def _keep(file: IO[bytes], card: Card, say: Say) -> Path:
    """Write fetched weights into the cache; several processes may do so at once, each sees a whole file or none."""
    path = cached(card)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f"{path.name}.part-", delete=False) as part:
        try:
            shutil.copyfileobj(file, part)
            part.flush()
            os.fsync(part.fileno())
            if (found := sha256_of(Path(part.name))) != card.sha256:
                raise FetchError(f"gave a file with sha256 {found}")
            Path(part.name).chmod(0o644)  # a temporary file is private, a cache may be shared
            _set_aside(path, card, say)
            Path(part.name).replace(path)
        except BaseException:
            Path(part.name).unlink(missing_ok=True)
            raise
    return path


def _set_aside(path: Path, card: Card, say: Say) -> None:
    """Rename a file that lies where the weights belong and is not them, so that nothing is lost unseen."""
    if path.is_file() and (wrong := sha256_of(path)) != card.sha256:
        aside = path.with_name(f"{path.name}.wrong-{wrong[:12]}")
        say(f"{path} has sha256 {wrong}, its card says {card.sha256}: set aside as {aside.name}")
        with contextlib.suppress(FileNotFoundError):  # another process was first
            path.rename(aside)
