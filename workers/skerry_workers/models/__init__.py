"""Models behind one port: `port` says what a backend is; each backend is a module of its own, and an extra."""
