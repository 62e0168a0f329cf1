"""The processes that speak `skerry.sync`: the uplink of a node, and the hub."""
