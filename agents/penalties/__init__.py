"""Penalties, which are added to every task's loss."""

from agents.penalties.penalty import Penalty

__all__ = ["Penalty"]
