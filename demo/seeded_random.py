"""Random numbers that can be drawn again: one counter-based stream for each seed and purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Bytes = npt.NDArray[np.uint8]
    Ints = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]


def stream(seed: int, purpose: str, *keys: int) -> np.random.Generator:
    """The random stream for a purpose and its keys (a URN, a year).

    A stream gives the same numbers every time, no matter what was drawn from other streams before.
    """
    # The purpose is hashed into the seed: rewording a purpose changes every number drawn for it.
    entropy = [seed & 0xFFFF_FFFF, crc32(purpose.encode()), *keys]
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(entropy)))


def stratified(rng: np.random.Generator, count: int) -> Floats:
    """`count` normal scores at evenly spaced quantiles, shuffled.

    Unlike independent draws, they average to 0 even when there are only a few schools.
    """
    scores = normal_scores((np.arange(count) + 0.5) / max(count, 1))
    rng.shuffle(scores)
    return scores


def normal_scores(share: Floats) -> Floats:
    """The normal score at each share of the distribution (0 < share < 1).

    Uses Acklam's approximation, good to 1e-8 relative.
    """
    low = share < _TAIL
    high = share > 1 - _TAIL
    tail = np.sqrt(-2 * np.log(np.where(high, 1 - share, np.where(low, share, 0.5))))
    outer = np.polyval(_C, tail) / np.polyval((*_D, 1.0), tail)
    middle = share - 0.5
    inner = middle * np.polyval(_A, middle * middle) / np.polyval((*_B, 1.0), middle * middle)
    return np.where(low, outer, np.where(high, -outer, inner))


_TAIL = 0.02425
_A = (-39.69683028665376, 220.9460984245205, -275.9285104469687, 138.3577518672690, -30.66479806614716, 2.506628277459239)
_B = (-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572)
_C = (-0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968, 2.938163982698783)
_D = (0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416)
