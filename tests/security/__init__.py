"""Who may do what, against a real nats-server."""
