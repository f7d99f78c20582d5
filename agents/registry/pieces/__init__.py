"""The pieces that come with the kit, by kind and name, a module for each kind. Importing this does not import torch."""

from __future__ import annotations

from agents.registry.pieces.aggregators import AGGREGATORS
from agents.registry.pieces.encoders import ENCODERS
from agents.registry.pieces.heads import HEADS
from agents.registry.pieces.penalties import PENALTIES
from agents.registry.pieces.samplers import SAMPLERS
from agents.registry.pieces.trunks import TRUNKS
from agents.registry.spec import Kind, Spec

PIECES: dict[Kind, dict[str, Spec]] = {
    "encoder": {spec.name: spec for spec in ENCODERS},
    "trunk": {spec.name: spec for spec in TRUNKS},
    "aggregator": {spec.name: spec for spec in AGGREGATORS},
    "sampler": {spec.name: spec for spec in SAMPLERS},
    "penalty": {spec.name: spec for spec in PENALTIES},
    "head": {spec.name: spec for spec in HEADS},
}
