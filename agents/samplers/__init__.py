"""Samplers: which tasks a batch is of."""

from agents.samplers.sampler import Sampler

__all__ = ["Sampler"]
