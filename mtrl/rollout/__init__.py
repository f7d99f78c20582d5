"""Environments as the learner sees them, and the episodes played in them."""
