"""A task's own observations and actions against the padded, scaled rows that agents see."""
