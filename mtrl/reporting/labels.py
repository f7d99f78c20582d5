"""Place names beside the points of a chart so that none covers another name or a point."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

GAPS = (5.0, 9.0, 14.0, 20.0, 27.0, 35.0, 44.0, 54.0, 66.0, 80.0, 96.0, 114.0)  # between a point and its name
DIRECTIONS = 24
LEADS_FROM = 9.0  # gaps from this one on get a leader line
ALONG = np.linspace(0.0, 1.0, 12)[1:, None]  # positions at which a leader line is checked
ROUNDS = 4  # of placing each name again, given all others
# Costs per unit, relative to a unit of distance.
COVERED, TOUCHED, LED_THROUGH = 100.0, 0.8, 40.0


class Place(NamedTuple):
    """The place of a name: its box (left, bottom, right, top), and whether it has a leader line."""

    box: np.ndarray  # (4,)
    led: bool


def place_labels(
    points: np.ndarray, sizes: np.ndarray, inside: np.ndarray, blocked: np.ndarray, avoided: np.ndarray
) -> list[Place]:
    """Return a place for each of P names of ``sizes`` (P, 2) beside its point in ``points`` (P, 2).

    Boxes are (left, bottom, right, top), all in the same unit. If there is room, names are within ``inside`` (4,), and
    cover neither each other nor ``blocked`` (B, 4); ``avoided`` (A, 4) may be covered to keep a name near its point.
    """
    candidates = [_candidates(point, size) for point, size in zip(points, sizes, strict=True)]
    taken = [0] * len(points)
    fixed = [_price(boxes, gaps, inside, blocked, avoided) for boxes, gaps in candidates]
    for turn in range(ROUNDS):
        for k, (boxes, _) in enumerate(candidates):
            others = [j for j in range(len(points)) if j != k and (turn or j < k)]
            names = np.array([candidates[j][0][taken[j]] for j in others]).reshape(-1, 4)
            lines = [_line(points[j], candidates[j], taken[j]) for j in others]
            price = fixed[k] + COVERED * _overlap(boxes, names).sum(axis=1)
            price += LED_THROUGH * _overlap(boxes, _spots(np.concatenate([np.empty((0, 2)), *lines]))).sum(axis=1)
            price += LED_THROUGH * np.array([_led_through(points[k], box, names) for box in boxes])
            taken[k] = int(price.argmin())
    return [Place(boxes[at], bool(gaps[at] >= LEADS_FROM)) for (boxes, gaps), at in zip(candidates, taken, strict=True)]


def lead(point: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Return the end of the line from a point to a name: the nearest position of its box."""
    return np.clip(point, box[:2], box[2:])


def _candidates(point: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return candidate boxes (C, 4) for a name around its point, and their gaps (C,); the one on the right is first."""
    angles = np.linspace(0.0, 2 * np.pi, DIRECTIONS, endpoint=False)
    ways = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    gaps = np.repeat(GAPS, DIRECTIONS)
    centres = point + np.tile(ways, (len(GAPS), 1)) * (gaps[:, None] + size / 2)
    return np.concatenate([centres - size / 2, centres + size / 2], axis=1), gaps


def _price(
    boxes: np.ndarray, gaps: np.ndarray, inside: np.ndarray, blocked: np.ndarray, avoided: np.ndarray
) -> np.ndarray:
    """Return the cost of each box (C,), regardless of other names."""
    area = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    outside = area - _overlap(boxes, inside[None])[:, 0]
    covered = _overlap(boxes, blocked).sum(axis=1) + outside
    return np.asarray(gaps + COVERED * covered + TOUCHED * _overlap(boxes, avoided).sum(axis=1))


def _overlap(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the area that each of (C, 4) shares with each of (O, 4) -> (C, O)."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    return np.asarray(np.clip(high - low, 0.0, None).prod(axis=2))


def _line(point: np.ndarray, candidates: tuple[np.ndarray, np.ndarray], at: int) -> np.ndarray:
    """Return positions along the leader line of a name (N, 2); none if it is right beside its point."""
    boxes, gaps = candidates
    if gaps[at] < LEADS_FROM:
        return np.empty((0, 2))
    return np.asarray(point + ALONG * (lead(point, boxes[at]) - point))


def _spots(places: np.ndarray) -> np.ndarray:
    """Return a box of one unit around each place (N, 2) -> (N, 4)."""
    return np.concatenate([places - 0.5, places + 0.5], axis=1)


def _led_through(point: np.ndarray, box: np.ndarray, names: np.ndarray) -> float:
    """Return how much of the other names (O, 4) a line from a point to a box would cross."""
    return float(_overlap(_spots(point + ALONG * (lead(point, box) - point)), names).sum())
