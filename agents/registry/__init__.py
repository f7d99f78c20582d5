"""The known agents and pieces, by name, and their settings; free of torch."""
