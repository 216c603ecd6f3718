"""Places that are filled when somebody goes there."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Fetched(Mapping[str, Path]):
    """Places of artifacts by name; what lies there is fetched when it is looked up, not when names are."""

    places: Mapping[str, Path]
    fetch: Callable[[Path], Path]

    def __getitem__(self, name: str) -> Path:
        return self.fetch(self.places[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)

    def __contains__(self, name: object) -> bool:
        return name in self.places
