"""The engine's pure heart: no I/O, no clock, no randomness, no logging, no environment."""
