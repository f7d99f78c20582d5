"""What a training needs to go on after an interruption, on disk: written so that a crash never leaves half of it."""
