"""Deadline: how much of a time budget is left, over several calls of the operating system."""

import time


class Deadline:
    """Begins when it is made. Measures on the monotonic clock, which no operator can set back."""

    def __init__(self, seconds: float) -> None:
        self._began = time.monotonic()
        self._ends = self._began + seconds

    def left(self) -> float:
        """Seconds left, more than 0. Raises TimeoutError when none are."""
        left = self.rest()
        if left <= 0:
            raise TimeoutError("the time for this call is used up")
        return left

    def rest(self) -> float:
        """The same, but 0 or less when none are."""
        return self._ends - time.monotonic()

    @property
    def passed_ms(self) -> int:
        return round((time.monotonic() - self._began) * 1000)
