"""Finished runs found and read, held to one protocol and one budget, and grouped by agent."""
