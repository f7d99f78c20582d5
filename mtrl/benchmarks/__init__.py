"""Speed, as ratios of two sides timed alternately in one process."""
