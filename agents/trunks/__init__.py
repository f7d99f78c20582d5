"""Trunks: how tasks share the networks of actor and critics."""

from agents.trunks.trunk import MakeTrunk, Trunk, TrunkShape

__all__ = ["MakeTrunk", "Trunk", "TrunkShape"]
