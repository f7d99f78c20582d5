"""Finished runs compared: gathered, brought to one scale, put into statistics and verdicts."""
