"""What training prints, whatever is learnt: from what, how it goes, and what came out."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from phonoscope.train.loop import Progress, Trained


def carried_out(planned: Any, train: Callable[..., "Trained"], options: Any, digits: int) -> int:
    """Carry out a plan of training and tell of it; of a dry run only what would be learnt from.

    Args:
        train: what carries it out, such as `train_asd`.
        options: of the verb: `to`, `events`, `dry_run`.
        digits: of each figure, behind the point.
    """

    def words(figures: Mapping[str, float]) -> str:
        return "  ".join(f"{name} {value:.{digits}f}" for name, value in figures.items())

    def show(progress: "Progress") -> None:
        if progress.figures:
            reached = words(progress.figures["validation"])
            print(f"epoch {progress.epoch:3}  training loss {progress.loss:.4f}; validation: {reached}", flush=True)

    print("\n".join(planned.told()), flush=True)
    if options.dry_run:
        return 0
    trained = train(planned, options.to, events=options.events, on_progress=show)
    for split, figures in (("validation", trained.validation), ("test", trained.test)):
        print(f"{split:10} {words(figures)}" if figures else f"{split:10} none")
    print(f"{trained.weights}: the best of all epochs, {trained.epoch}; {options.to / 'report.html'} shows them")
    return 0
