"""Several engines and workers on one cluster of NATS servers."""
