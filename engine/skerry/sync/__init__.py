"""Node and hub: what travels between them, and how each side decides what to do. Pure; see docs/guides/edge.md."""
