"""Heads: what a critic's output means, a number or a distribution."""

from agents.heads.head import ValueHead

__all__ = ["ValueHead"]
