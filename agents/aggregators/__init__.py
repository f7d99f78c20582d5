"""Aggregators: how the losses of T tasks become gradients."""

from agents.aggregators.aggregator import Aggregate, Parameters, split_parameters
from agents.aggregators.gradients import set_gradient, task_gradients

__all__ = ["Aggregate", "Parameters", "set_gradient", "split_parameters", "task_gradients"]
