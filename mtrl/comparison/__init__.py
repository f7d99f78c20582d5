"""Compare groups of runs: statistics, verdicts, notes and tables."""
