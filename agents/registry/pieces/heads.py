"""The heads that come with the kit."""

from __future__ import annotations

from agents.registry.spec import Spec

HEADS: tuple[Spec, ...] = (
    Spec(
        "head",
        "scalar",
        "the return's mean, by squared error",
        "agents.heads.scalar:scalar",
        capturable=True,
    ),
    Spec(
        "head",
        "categorical",
        "the return as a distribution over 101 bins, by cross-entropy (Farebrother et al. 2024)",
        "agents.heads.categorical:categorical",
        capturable=True,
    ),
)
