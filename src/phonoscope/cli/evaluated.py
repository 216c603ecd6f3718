"""What an evaluation found, in words for a terminal."""

from phonoscope.report.wording import count
from phonoscope.tasks.asd.evaluation import Evaluation, Part

TITLES = {"faces_in_frame": "faces in the frame", "face_width_px": "width of face", "face_height": "height of face"}
NAMES = {
    "small": "under 64 px",
    "medium": "64 to 128 px",
    "large": "over 128 px",
    "smallest_third": "smallest third",
    "middle_third": "middle third",
    "largest_third": "largest third",
}


def evaluation_lines(found: Evaluation) -> list[str]:
    """The figure, its bracket, on how much it stands, and where it comes from."""
    counts = found.counts
    worst, best = _percent(found.average_precision_worst), _percent(found.average_precision_best)
    entities, videos = count(counts["entities"], "entity", "entities"), count(counts["videos"], "video")
    lines = [
        f"average precision {_percent(found.average_precision)}",
        f"the order of equal scores allows {worst} to {best}",
        f"{count(counts['rows'], 'row')}, {_spaced(counts['positives'])} of them speaking; {entities}, {videos}",
    ]
    if (at := found.at_threshold) is not None:
        people = f"; of each face, {_percent(at.f1_by_person)} in the mean of {count(at.persons, 'face')}"
        lines.append(f"F1 above {at.threshold:g}: {_percent(at.f1)}{people}")
    for what, why in (("nearest", "the nearest of their face"), ("lowest", "the lowest of all")):
        if counts.get(what):
            lines.append(f"without a score of their own: {count(counts[what], 'row')} took {why}")
    if counts.get("passed_over"):
        lines.append(f"passed over: {count(counts['passed_over'], 'prediction')} that the truth does not have")
    for what, parts in found.breakdowns.items():
        lines += ["", f"{TITLES[what]:20} {'rows':>9} {'speaking':>9} {'AP':>9}"]
        lines += [_row(NAMES.get(name, name), part) for name, part in parts.items()]
    return lines


def _row(name: str, part: Part) -> str:
    figure = "" if part.average_precision is None else _percent(part.average_precision)
    return f"{name:20} {_spaced(part.rows):>9} {_spaced(part.positives):>9} {figure:>9}".rstrip()


def _spaced(number: int) -> str:
    return f"{number:,}".replace(",", " ")


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.3f} %"
