"""Cards: what a model is, where its weights lie, whose they are."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Card:
    """A model's identity; its sha256 is part of the key of everything that the model makes."""

    name: str
    version: str
    sources: tuple[str, ...]  # URLs, or "wheel:<project>==<version>/<path inside>"; none if nothing is to be loaded
    sha256: str  # of the weights; "" if there are none
    licence: str
    cite: str
    input: str  # crop policy and feature recipe that it was made for
    rate: str  # rows a second that it gives, in words
    notes: str = ""  # what it was trained on, how good it is on people it has not seen
    size: int = 0  # bytes of the weights; 0 if unknown
    download_size: int = 0  # bytes to be fetched for them, where that is a whole wheel; 0: as many as the weights

    @property
    def identity(self) -> str:
        """Name, version and weights, as one string for keys and receipts."""
        return f"{self.name}@{self.version}" + (f":{self.sha256[:12]}" if self.sha256 else "")
