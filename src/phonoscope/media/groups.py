"""Which packets of a film must be decoded to see some of its pictures."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from av.packet import Packet

HELD_BYTES = 64 << 20  # of packets kept at most; a longer group of pictures is decoded without asking


@dataclass(frozen=True, slots=True)
class Gap:
    """Something was left out here; what follows begins with a keyframe."""

    key_pts: int | None


def needed(packets: Iterator[Packet], wanted: np.ndarray) -> Iterator[Packet | Gap]:
    """The packets of all groups of pictures (keyframe to keyframe) that hold a wanted one.

    A group whose wanted pictures come before its keyframe leans on the group before, which is then needed too.

    Args:
        wanted: (N,) int64 timestamps, sorted.
    """
    before: list[Packet] = []  # the group before, if it was left out
    runs_on = True  # whether the decoder has just seen all that comes before
    for group, whole in _groups(packets):
        wants, leans = _wanted(group, wanted)
        wants = wants or not whole
        if not wants:
            before, runs_on = group, False
            continue
        if not runs_on:
            given = (before if leans else []) + group
            yield Gap(given[0].pts)
            yield from given
        else:
            yield from group
        before, runs_on = [], True


def _groups(packets: Iterator[Packet]) -> Iterator[tuple[list[Packet], bool]]:
    """Packets from each keyframe to the next, and whether the group is whole: too large a one comes in pieces."""
    group: list[Packet] = []
    size, whole = 0, True
    for packet in packets:
        if group and (packet.is_keyframe or size > HELD_BYTES):
            whole = whole and packet.is_keyframe
            yield group, whole
            group, size, whole = [], 0, packet.is_keyframe
        group.append(packet)
        size += packet.size
    if group:
        yield group, whole


def _wanted(group: list[Packet], wanted: np.ndarray) -> tuple[bool, bool]:
    """Whether a group holds wanted pictures, and whether some of these come before its keyframe."""
    times = [packet.pts for packet in group]
    if None in times:
        return True, True
    held = np.array(times, np.int64)
    at = np.searchsorted(wanted, held)
    hits = held[(at < len(wanted)) & (wanted[np.minimum(at, len(wanted) - 1)] == held)]
    return bool(len(hits)), bool((hits < held[0]).any())
