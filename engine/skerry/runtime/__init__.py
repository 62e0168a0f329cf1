"""The only place where things interleave: the engine, its timers, its outbox, its answers to the outside."""
