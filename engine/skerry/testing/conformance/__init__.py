"""One suite per port. Whoever writes an adapter subclasses its suite with one factory method, and passes it."""
