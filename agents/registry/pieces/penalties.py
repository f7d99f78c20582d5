"""The penalties that come with the kit."""

from __future__ import annotations

from agents.registry.sharing_settings import (
    L1Settings,
    L2Settings,
    OrthogonalitySettings,
    SoftSharingSettings,
    TraceNormSettings,
)
from agents.registry.spec import Spec

PENALTIES: tuple[Spec, ...] = (
    Spec(
        "penalty",
        "none",
        "nothing is added",
        capturable=True,
    ),
    Spec(
        "penalty",
        "l2",
        "half the sum of squares of the weights",
        "agents.penalties.l2:L2",
        L2Settings,
        capturable=True,
    ),
    Spec(
        "penalty",
        "l1",
        "the sum of the absolute values of the weights",
        "agents.penalties.l1:L1",
        L1Settings,
        capturable=True,
    ),
    Spec(
        "penalty",
        "orthogonality",
        "the products of different units' weights (Brock et al. 2017)",
        "agents.penalties.orthogonality:Orthogonality",
        OrthogonalitySettings,
        capturable=True,
    ),
    Spec(
        "penalty",
        "soft-sharing",
        "the distance of tasks' weights to their mean (Duong et al. 2015)",
        "agents.penalties.soft_sharing:SoftSharing",
        SoftSharingSettings,
        own_weights=True,
        capturable=True,
    ),
    Spec(
        "penalty",
        "trace-norm",
        "the trace norm of the tasks' weights (Yang and Hospedales 2016)",
        "agents.penalties.soft_sharing:TraceNorm",
        TraceNormSettings,
        own_weights=True,
    ),
)
