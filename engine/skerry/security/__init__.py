"""Who may do what on a NATS server: members with their keys, certificates, and the server's configuration made of them.

Nothing is imported by an engine whose server stays on its own machine.
"""
