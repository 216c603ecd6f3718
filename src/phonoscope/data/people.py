"""The people of a store: which persons of several recordings are one."""

from collections.abc import Mapping

import numpy as np

from phonoscope.core.faces import TrackArrays, TrackTable
from phonoscope.steps.people import UNKNOWN, PeopleParams, joined, mean_of
from phonoscope.store.folder import Store


def people_of(store: Store, threshold: float = PeopleParams().threshold) -> Mapping[str, Mapping[int, int]]:
    """Of each recording its persons, as `people` counts them, and who each is among the people of the store.

    By the rule of the step: average linkage of Euclidean distances up to `threshold`; a person is the mean of all
    their embeddings. Two persons of one recording stay two. People of the store count from 0, in the order of
    recordings and of persons in them; tracks without an embedding are left out.

    Raises:
        UsageError: a recording has no fresh `people` and `embeddings`.
    """
    who: list[tuple[str, int]] = []
    means: list[np.ndarray] = []
    for id in store:
        faces: TrackArrays = store[id].load("embeddings")
        table: TrackTable = store[id].load("people")
        for person in sorted({*table.columns["person"].tolist()} - {UNKNOWN}):
            tracks = np.unique(table.track[table.columns["person"] == person]).tolist()
            who.append((id, person))
            means.append(mean_of(np.concatenate([faces[track] for track in tracks])))
    made: dict[str, dict[int, int]] = {id: {} for id in store}
    if who:
        recording = np.array([id for id, _ in who])
        found = joined(np.stack(means), recording[:, None] == recording, threshold)
        for (id, person), one in zip(who, found.tolist(), strict=True):
            made[id][person] = one
    return made


def named_in(store: Store) -> dict[str, dict[int, str]]:
    """Of each recording in which `people` told persons apart, which track is whose, by names that hold for the store.

    A person is named for the first of the recordings that show them.
    """
    known = {id: store[id] for id in store if {"people", "embeddings"} <= store[id].fresh.keys()}
    joined = people_of(store) if known and len(known) == len(store) else {}
    names: dict[int, str] = {}
    made: dict[str, dict[int, str]] = {}
    for id, stored in known.items():
        table: TrackTable = stored.load("people")
        pairs = dict(zip(table.track.tolist(), table.columns["person"].tolist(), strict=True))
        named = {}
        for track, person in pairs.items():
            if person != UNKNOWN:
                name = f"{stored.recording.sha256[:8]}-person{person}"
                one = joined.get(id, {}).get(person)
                named[track] = name if one is None else names.setdefault(one, name)
        made[id] = named
    return made
