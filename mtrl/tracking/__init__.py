"""A run told to an experiment tracker as it goes: what a tracker is, and one file for each."""
