"""Node and hub."""
