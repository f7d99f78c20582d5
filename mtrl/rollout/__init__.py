"""Environments as the learner sees them, and the episodes that are played in them."""
