"""What a process says over HTTP to whoever supervises it: /livez, /readyz, /startupz, /metrics. On this machine only.

`http` and `metrics` serve engines and workers alike; `node` and `tally` are the engine's, and imported by one that has
an `http_port`.
"""
