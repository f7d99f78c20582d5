"""Shared by all commands: parsing, errors in one line, signals, numbers, and progress lines."""
