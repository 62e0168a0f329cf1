"""The bus: NATS with JetStream, and the nats-server that Skerry starts by itself."""

from __future__ import annotations

from skerry.bus.natsbus import NatsBus
from skerry.bus.server import NatsServer
from skerry.bus.serverconfig import ServerLimits
from skerry.bus.target import LocalServer, RemoteServer, Target

__all__ = ["LocalServer", "NatsBus", "NatsServer", "RemoteServer", "ServerLimits", "Target"]
