"""Speed, as ratios of pairs that are timed in turn in one process."""
