"""Moving pictures: tasks side by side, as a film, a file, while a run is trained, in a window."""
