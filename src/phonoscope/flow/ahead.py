"""Making the next things in a thread while those before them are worked on."""

from collections import deque
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
OVER = object()  # in the place of an item: there are no more


def ahead(items: Generator[Item, None, None], depth: int) -> Generator[Item, None, None]:
    """The same items, in the same order, made in one thread of their own, `depth` of them before they are asked for.

    What goes wrong with an item is raised where the item would have come. Once this is closed, `items` have been
    closed in the thread in which they ran, and the thread has ended.
    """
    with ThreadPoolExecutor(1, "ahead") as thread:
        asked = deque(thread.submit(next, items, OVER) for _ in range(depth))
        try:
            while (item := asked.popleft().result()) is not OVER:
                asked.append(thread.submit(next, items, OVER))
                yield item  # type: ignore[misc] - OVER is not among them
        finally:
            for wanted in asked:
                wanted.cancel()
            thread.submit(items.close).result()
