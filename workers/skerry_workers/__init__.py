"""Workers: services that take tasks from the bus and return results."""
