"""Bit-identical stand-ins for what Meta-World's own code calls most, cheaper on three numbers at a time."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

ORTHOGONALITY = 1e-13  # tolerance on the products of rows; SciPy itself corrects a matrix from 1e-12 on


class Rotation:
    """SciPy's ``Rotation``, as far as Meta-World uses it: ``Rotation.from_matrix(m).as_quat()``."""

    def __init__(self, quaternion: np.ndarray) -> None:
        self._quaternion = quaternion

    @classmethod
    def from_matrix(cls, matrix: np.ndarray) -> Rotation:
        """Read a rotation matrix (3, 3); one that is not a rotation within 1e-13 is left to SciPy."""
        (a, b, c), (d, e, f), (g, h, i) = matrix.tolist()
        if not _is_rotation(a, b, c, d, e, f, g, h, i):
            from scipy.spatial.transform import Rotation as SciPys

            return cls(SciPys.from_matrix(matrix).as_quat())
        trace = a + e + i
        largest = max(a, e, i, trace)
        # The order of the cases and of the terms is SciPy's, since it decides the last bit.
        if largest == a:
            x, y, z, w = 1 - trace + 2 * a, d + b, g + c, h - f
        elif largest == e:
            y, z, x, w = 1 - trace + 2 * e, h + f, d + b, c - g
        elif largest == i:
            z, x, y, w = 1 - trace + 2 * i, g + c, h + f, d - b
        else:
            x, y, z, w = h - f, c - g, d - b, 1 + trace
        norm = sqrt(x * x + y * y + z * z + w * w)
        return cls(np.array([x / norm, y / norm, z / norm, w / norm]))

    def as_quat(self) -> np.ndarray:
        """Return the quaternion (4,): x, y, z, w."""
        return self._quaternion


def _is_rotation(a: float, b: float, c: float, d: float, e: float, f: float, g: float, h: float, i: float) -> bool:
    return (
        abs(a * a + b * b + c * c - 1) < ORTHOGONALITY
        and abs(d * d + e * e + f * f - 1) < ORTHOGONALITY
        and abs(g * g + h * h + i * i - 1) < ORTHOGONALITY
        and abs(a * d + b * e + c * f) < ORTHOGONALITY
        and abs(a * g + b * h + c * i) < ORTHOGONALITY
        and abs(d * g + e * h + f * i) < ORTHOGONALITY
        and a * (e * i - f * h) + b * (f * g - d * i) + c * (d * h - e * g) > 0
    )


def norm(x: Any, *args: Any, **kwargs: Any) -> Any:
    """``np.linalg.norm``; of a vector, the same product and root without the overhead."""
    if isinstance(x, np.ndarray) and x.ndim == 1 and x.dtype == np.float64 and not args and kwargs in ({}, {"ord": 2}):
        return np.sqrt(x.dot(x))
    return np.linalg.norm(x, *args, **kwargs)


def tolerance(
    x: Any,
    bounds: tuple[Any, Any] = (0.0, 0.0),
    margin: Any = 0.0,
    sigmoid: str = "gaussian",
    *args: Any,
    **kwargs: Any,
) -> Any:
    """``metaworld.utils.reward_utils.tolerance`` of a float; all else, and what it refuses, is left to it."""
    lower, upper = bounds
    plain = isinstance(x, float) and sigmoid in _SIGMOIDS and not (args or kwargs)
    if not plain or lower > upper or margin < 0:
        from metaworld.utils import reward_utils

        return reward_utils.tolerance(x, bounds, margin, sigmoid, *args, **kwargs)  # type: ignore[arg-type]
    if lower <= x <= upper:
        return 1.0
    if margin == 0:
        return 0.0
    return float(_SIGMOIDS[sigmoid]((lower - x if x < lower else x - upper) / margin))


AT_MARGIN = 0.1  # the value of a sigmoid at a distance of the margin
_GAUSSIAN, _LONG_TAIL = np.sqrt(-2 * np.log(AT_MARGIN)), np.sqrt(1 / AT_MARGIN - 1)
_SIGMOIDS = {
    "gaussian": lambda d: np.exp(-0.5 * (d * _GAUSSIAN) ** 2),
    "long_tail": lambda d: 1 / ((d * _LONG_TAIL) ** 2 + 1),
}
