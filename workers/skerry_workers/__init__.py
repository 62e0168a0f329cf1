"""Workers: services that take tasks from the bus and return results.

`skerry_workers.service.Worker` is one, in this process; `skerry_workers.process.run_worker` is one as a process. What
they speak is in docs/bus.md.
"""
