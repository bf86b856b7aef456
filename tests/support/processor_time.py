"""How the work of a call grows with its input. A busy machine does not change that."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

STEP = 10
RUNS = 5
# Work that is in proportion to its input grows by STEP, work in proportion to its square by STEP times STEP.
MOST = 4 * STEP
# What the processor's clock and one garbage collection may add to a call that costs next to nothing.
NOISE = 0.005


def processor_seconds(act: Callable[[], object]) -> float:
    """The seconds that this thread worked on the call, at its fastest. Waiting and other processes do not count."""
    times = []
    for _ in range(RUNS):
        started = time.thread_time()
        act()
        times.append(time.thread_time() - started)
    return min(times)


def assert_linear(act: Callable[[int], object], size: int) -> None:
    """Assert that ten times the input costs about ten times the work."""
    small = processor_seconds(lambda: act(size // STEP))
    large = processor_seconds(lambda: act(size))
    assert large <= MOST * small + NOISE, f"{STEP} times the input cost {large / small:.0f} times the work"
