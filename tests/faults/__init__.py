"""What a run survives, measured: ``python -m tests.faults [--quick] [--only NAME ...]`` prints a table (Linux)."""
