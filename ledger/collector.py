"""The search for reference cycles, made rare: what a process has once begun with stays, and little has cycles."""

import gc


def spare_the_collector(after: int = 10_000) -> None:
    """Leave what is there for good; look for cycles once so many objects more are there, and among old ones rarely.

    At the default it walks through all of it again and again: a fifth of the fold's time, a tenth of a request's, and
    now and then 80 ms of a page's. To be called once everything is imported and read.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(after, 20, 100)
