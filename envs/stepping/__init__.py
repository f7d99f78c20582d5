"""Engines that step environments, in this process or in workers, and T x N rows as one vector environment."""
