"""What a policy comes to: scores, the final ones and how they were counted, a finished run scored again."""
