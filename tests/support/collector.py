"""Pytest plugin: while tests are collected nothing is garbage, and afterwards they all stay.

Looking for cycles among eleven thousand tests that are being made took half of the time of collecting them, in each
worker anew. What a test leaves is looked for as ever.
"""

import gc

gc.disable()


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.enable()
