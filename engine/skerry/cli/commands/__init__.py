"""One file for each command; each has a `command`."""
