"""Checkpoints, from which an interrupted training resumes; a crash never leaves one half written."""
