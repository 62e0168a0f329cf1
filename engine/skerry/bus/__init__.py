"""The bus: NATS with JetStream, and the nats-server that Skerry starts by itself."""

from __future__ import annotations

from skerry.bus.natsbus import NatsBus
from skerry.bus.server import NatsServer
from skerry.bus.serverconfig import Limits
from skerry.bus.target import LocalServer, RemoteServer, Target

__all__ = ["Limits", "LocalServer", "NatsBus", "NatsServer", "RemoteServer", "Target"]
