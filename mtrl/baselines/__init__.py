"""Agents of other libraries on the same budget and environments: Stable-Baselines3's SAC."""
