"""How many examples a property is tried with: few in every run, as many times more as a long run asks for."""

import os
from typing import Any

from hypothesis import settings

TIMES = int(os.environ.get("TOCSIN_EXAMPLES", "1"))  # the test run's own setting


def examples(count: int, **more: Any) -> settings:
    """So many, times TOCSIN_EXAMPLES; `more` goes to hypothesis. However slow one is: the machine may be busy."""
    return settings(max_examples=count * TIMES, deadline=None, **more)
