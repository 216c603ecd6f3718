"""Ready-made scenes."""

from fractions import Fraction

from phonoscope.testing.puppet.scene import Head, Scene, Seat, Shot, View
from phonoscope.testing.puppet.speech import Speech


def one_head(
    seconds: float = 4.0,
    *,
    seed: int = 0,
    width: int = 640,
    height: int = 360,
    fps: Fraction = Fraction(25),
    face_height: float = 150.0,
    turns: tuple[tuple[float, float], ...] | None = None,
) -> Scene:
    """One person in the middle of the picture, who talks all the time but for up to half a second at either end."""
    quiet = min(0.5, seconds / 4)
    speech = Speech(seed, ((quiet, seconds - quiet),) if turns is None else turns, seed)
    seat = Seat(0, width / 2, 0.46 * height, face_height)
    shot = Shot(round(seconds * fps), (seat,), seed)
    return Scene(heads=(Head(seed, speech),), shots=(shot,), width=width, height=height, fps=fps)


def two_heads_taking_turns(seconds: float = 8.0, *, seed: int = 0, fps: Fraction = Fraction(25)) -> Scene:
    """Two people side by side; one talks, then the other, two seconds each with half a second between."""
    starts = [0.25 + 2.5 * turn for turn in range(int((seconds - 0.25) / 2.5) + 1)]
    turns = [(start, min(start + 2.0, seconds - 0.2)) for start in starts if seconds - start > 0.7]
    heads = tuple(Head(seed + n, Speech(seed + n, tuple(turns[n::2]), seed)) for n in (0, 1))
    seats = (Seat(0, 190, 165, 140, 6.0), Seat(1, 450, 165, 140, -6.0))
    return Scene(heads=heads, shots=(Shot(round(seconds * fps), seats, seed),), fps=fps)


def three_heads_small(seconds: float = 6.0, *, seed: int = 0, fps: Fraction = Fraction(25)) -> Scene:
    """Three people at a table, 1280×720, faces of 70, 84 and 98 px, who talk one after another."""
    third = seconds / 3
    heads = tuple(Head(seed + n, Speech(seed + n, ((n * third + 0.2, (n + 1) * third - 0.1),), seed)) for n in range(3))
    seats = (Seat(0, 330, 330, 84.0, 8.0), Seat(1, 640, 300, 70.0), Seat(2, 950, 335, 98.0, -8.0))
    shot = Shot(round(seconds * fps), seats, seed, desk=560.0)
    return Scene(heads=heads, shots=(shot,), width=1280, height=720, fps=fps)


def cuts_and_fades(*, seed: int = 0, fps: Fraction = Fraction(25)) -> Scene:
    """Six shots of two people: four hard cuts (one to a nearer view, one to an empty room) and a fade through black."""
    first, second = (
        Head(seed, Speech(seed, ((0.2, 2.8), (5.2, 7.0)), seed)),
        Head(seed + 1, Speech(seed + 1, ((3.0, 5.0),), seed)),
    )
    shots = (
        Shot(40, (Seat(0, 190, 165, 130, 5.0), Seat(1, 450, 165, 130, -5.0)), seed),
        Shot(33, (Seat(0, 320, 170, 190),), seed + 1, camera=(View(320, 180), View(330, 176, 1.15))),
        Shot(37, (Seat(1, 300, 165, 160),), seed + 2, fade_out=10),
        Shot(30, (Seat(0, 330, 160, 140),), seed + 3, fade_in=10),
        Shot(15, (), seed + 4),
        Shot(25, (Seat(0, 250, 165, 120), Seat(1, 480, 170, 120)), seed + 1, camera=(View(300, 180), View(345, 180))),
    )
    return Scene(heads=(first, second), shots=shots, fps=fps)


def empty_room(seconds: float = 2.0, *, seed: int = 0, fps: Fraction = Fraction(25)) -> Scene:
    """Nobody is there and nothing is said."""
    return Scene(heads=(), shots=(Shot(round(seconds * fps), (), seed),), fps=fps)


def wrong_dub(seconds: float = 5.0, *, seed: int = 0, fps: Fraction = Fraction(25)) -> Scene:
    """One person whose lips say one thing while another voice says something else: talking, but not speaking."""
    lips = Speech(seed, ((0.4, seconds - 0.4),), seed)
    shot = Shot(round(seconds * fps), (Seat(0, 320, 166, 150),), seed)
    other = Speech(seed + 1, ((0.2, seconds - 0.3),), seed + 7)
    return Scene(heads=(Head(seed, lips),), shots=(shot,), fps=fps, sounds=(other,))


def off_screen_voice(seconds: float = 5.0, *, seed: int = 0, fps: Fraction = Fraction(25)) -> Scene:
    """One person who listens, lips shut, to a voice from elsewhere."""
    shot = Shot(round(seconds * fps), (Seat(0, 320, 166, 150),), seed)
    return Scene(heads=(Head(seed),), shots=(shot,), fps=fps, sounds=(Speech(seed + 1, ((0.3, seconds - 0.3),), seed),))


def demo(*, fps: Fraction = Fraction(25), width: int = 1280, height: int = 720) -> Scene:
    """A conversation of 15 s in three shots: two people, then one nearer by, then all three at a table."""
    px = height / 720
    middle = width / 2, height / 2
    heads = (
        Head(14, Speech(14, ((0.4, 2.6), (5.4, 8.9)), 3)),
        Head(10, Speech(15, ((2.9, 5.0), (12.0, 14.3)), 1)),
        Head(11, Speech(13, ((9.5, 11.8),), 2)),
    )

    def seat(head: int, x: float, y: float, tall: float, yaw_deg: float) -> Seat:
        return Seat(head, middle[0] + (x - 640) * px, y * px, tall * px, yaw_deg)

    together = (seat(0, 400, 335, 250, 7.0), seat(1, 880, 335, 250, -7.0))
    alone = (seat(0, 600, 330, 340, 4.0),)
    table = (seat(0, 330, 330, 165, 8.0), seat(2, 640, 310, 155, 0.0), seat(1, 950, 335, 165, -8.0))
    nearer = View(*middle), View(middle[0], middle[1] - 8 * px, 1.06)
    aside = View(middle[0] - 25 * px, middle[1], 1.02), View(middle[0] + 15 * px, middle[1], 1.02)
    shots = (
        Shot(round(5.2 * fps), together, 0, camera=nearer),
        Shot(round(4.0 * fps), alone, 1, camera=aside),
        Shot(round(5.8 * fps), table, 2, fade_out=round(0.5 * fps), desk=590 * px),
    )
    return Scene(heads=heads, shots=shots, width=width, height=height, fps=fps)
