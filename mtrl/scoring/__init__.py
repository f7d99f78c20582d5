"""Scores of policies: evaluations, final scores with their protocol, and repeated scoring of finished runs."""
