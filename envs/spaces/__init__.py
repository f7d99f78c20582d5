"""Conversion between a task's own observations and actions and the padded, scaled rows that agents see."""
