"""Skerry: durable, event-driven agent workflows on a message bus."""
