"""Groups of runs compared: statistics, verdicts, what is noted beside them, and the tables."""
