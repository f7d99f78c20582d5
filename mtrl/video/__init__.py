"""Videos of tasks side by side: written to a file, recorded during training, or shown in a window."""
