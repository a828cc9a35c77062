"""Floors: what the law has kept even where a person asks for its erasure, as an erasure asks for it."""

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

STATUTORY_GROUND = "statutory"

Keep = Callable[[str, str, npt.NDArray[np.int64]], Iterable[tuple[str, npt.NDArray[np.bool_]]]]
"""Category, ground and times of rows (ms UTC) to the articles that have some of them kept, each with which rows."""


def nothing_kept(
    _category: str, _ground: str, _times: npt.NDArray[np.int64]
) -> Iterable[tuple[str, npt.NDArray[np.bool_]]]:
    """No floor holds anything."""
    return ()
