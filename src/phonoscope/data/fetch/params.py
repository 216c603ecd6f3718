"""What is asked for of a list, how, and what is done with a film that has come."""

from dataclasses import dataclass, field
from fractions import Fraction

from phonoscope.data.fetch.polite import Manners
from phonoscope.data.fetch.site import SiteParams


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchParams:
    """What is done with a film that has come, and which are asked for."""

    site: SiteParams = field(default_factory=SiteParams)
    manners: Manners = field(default_factory=Manners)
    whole: bool = False  # keep the whole film, too, where only pieces of it are wanted
    fps: Fraction | None = None  # of pieces; None: the film's own
    crop: bool = False  # pieces show the window that the list tells
    retry: str = ""  # a query over `type`, `host`, `name`, `message` of what failed: only that is tried
