"""Agents that learn from batches of many tasks; no environments, no files, nothing of ``envs`` or ``mtrl``."""
