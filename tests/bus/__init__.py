"""The NATS adapter, with real servers."""
