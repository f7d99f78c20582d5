"""Heads: whether a critic's output is a number or a distribution."""

from agents.heads.head import ValueHead

__all__ = ["ValueHead"]
