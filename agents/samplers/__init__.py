"""Samplers, which choose the tasks of each batch."""

from agents.samplers.sampler import Sampler

__all__ = ["Sampler"]
