"""What commands share: parsing, errors in one line, signals, numbers, and the line that is shown meanwhile."""
