"""Skerry's services of compose.yaml as plain processes on this machine, where there is no Docker.

Volumes become folders, names of servers become loopback with free ports, and a service starts when those that it
depends on are as it says, by their own health checks. `python -m tests.deploy.topology` runs it until Ctrl-C.
"""

from __future__ import annotations

import contextlib
import http.server
import os
import re
import signal
import subprocess
import sys
import sysconfig
import tempfile
import threading
from pathlib import Path
from typing import Any

import yaml

from skerry.bus.binary import find_binary
from tests.support import wait_until_blocking
from tests.sync.kit import end, free_port

ROOT = Path(__file__).resolve().parents[2]
_HTTP = ("9500", "9600", "9601")
_HEALTHY_S, _CHECK_S = 60.0, 0.3


def compose() -> dict[str, Any]:
    """compose.yaml, with what it says several times in its places."""
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return loaded


class Collector:
    """Takes what would go to the OpenTelemetry collector. `paths` are those that something was posted to."""

    def __init__(self) -> None:
        paths: set[str] = set()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                paths.add(self.path)
                self.send_response(200)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, format: str, *args: object) -> None:
                """Nobody reads it."""

        self.paths = paths
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Takes nothing more."""
        self._server.shutdown()
        self._server.server_close()


class Service:
    """One service of compose.yaml: its words, with what is different here in the place of what is there."""

    def __init__(self, name: str, told: dict[str, Any], places: dict[str, str]) -> None:
        self.name = name
        self.told = told
        self._places = places
        self.process: subprocess.Popen[bytes] | None = None

    def here(self, text: str) -> str:
        """The same text for this machine. Longer names first, so that none hides another."""
        names = sorted(self._places, key=len, reverse=True)
        pattern = "|".join(rf"(?<![\w.-]){re.escape(name)}(?!\w)" for name in names)
        return re.sub(pattern, lambda found: self._places[found.group()], text)

    def environment(self) -> dict[str, str]:
        """Nothing of ours that compose.yaml does not name, but the programs."""
        scripts = f"{sysconfig.get_path('scripts')}:{find_binary().parent}"
        named = {key: self.here(str(value)) for key, value in self.told.get("environment", {}).items()}
        kept = {"PATH": f"{scripts}:{os.environ['PATH']}", "HOME": os.environ.get("HOME", "/")}
        return {**kept, "PYTHONPATH": os.environ.get("PYTHONPATH", ""), **named}

    def start(self, folder: Path) -> None:
        """Starts it; what it says goes into a file of its name."""
        with (folder / f"{self.name}.log").open("ab") as log:
            command = [self.here(word) for word in self.told["command"]]
            env = self.environment()
            self.process = subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=log)

    def healthy(self) -> bool:
        """Whether its own check says so. Fails when it has ended."""
        assert self.process is not None
        assert self.process.poll() is None, f"{self.name} has ended"
        _, *check = self.told["healthcheck"]["test"]
        done = subprocess.run(
            [self.here(word) for word in check], env=self.environment(), capture_output=True, check=False
        )
        if done.returncode:
            threading.Event().wait(_CHECK_S)  # it is a process each time, on a machine that is busy starting others
        return done.returncode == 0


class Topology:
    """All of them, in a folder. `skip` are services that are not started."""

    def __init__(self, folder: Path, *, collector: str = "127.0.0.1:9", skip: tuple[str, ...] = ()) -> None:
        self.folder = folder
        told = compose()
        ours = {n: s for n, s in told["services"].items() if s["image"].startswith("skerry:") and n not in skip}
        hosts = {name: (free_port(), free_port()) for name, each in ours.items() if "nats-server" in each["command"]}
        ports = {name: {port: str(free_port()) for port in _HTTP} for name in ours if "network_mode" not in ours[name]}
        common = {"otel-collector:4318": collector}
        for name, (clients, routes) in hosts.items():
            common |= {f"{name}:4222": f"127.0.0.1:{clients}", f"{name}:6222": f"127.0.0.1:{routes}", name: "127.0.0.1"}
        self.services: dict[str, Service] = {}
        for name, each in ours.items():
            places = {**common, **ports.get(each.get("network_mode", "").partition(":")[2] or name, {})}
            if name in hosts:
                clients, routes = hosts[name]
                places |= {"0.0.0.0:4222": f"127.0.0.1:{clients}", "0.0.0.0:6222": f"127.0.0.1:{routes}"}
                places |= {"127.0.0.1:8222": f"127.0.0.1:{free_port()}"}
                del places[name]  # as a name it is what the server is called
            for volume in each.get("volumes", ()):
                source, target = volume.split(":")[:2]
                places[target] = str(self.volume(source))
            if name == "keys":
                places["/$node"] = f"{self.volume('x').parent}/$node"
            self.services[name] = service = Service(name, each, places)
            self._write_configs(service, told["configs"])

    def volume(self, name: str) -> Path:
        """The folder of a volume."""
        folder = self.folder / "volumes" / name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def start(self) -> Topology:
        """Starts them in the order in which they depend on each other."""
        started: set[str] = set()
        while len(started) < len(self.services):
            ready = [s for n, s in self.services.items() if n not in started and self._needs(s) <= started]
            assert ready, "they wait for each other"
            for service in ready:
                self._wait_for_needs(service)
                service.start(self.folder)
                started.add(service.name)
        return self

    def wait_healthy(self) -> None:
        """Until every service that has a check is well."""
        for service in self.services.values():
            if "healthcheck" in service.told and service.name != "keys":
                self._wait(service)

    def call(self, name: str, *command: str) -> subprocess.CompletedProcess[str]:
        """What `docker compose exec NAME COMMAND` would do."""
        service = self.services[name]
        words = [service.here(word) for word in command]
        return subprocess.run(words, env=service.environment(), capture_output=True, text=True, check=False)

    def stop(self) -> dict[str, int]:
        """SIGTERM, in the opposite order; their exit codes."""
        return {name: end(each.process, signal.SIGTERM) for name, each in reversed(self.services.items())}

    def logs(self) -> str:
        """The end of what each has said."""
        return "\n".join(f"--- {p.stem}\n{p.read_text(errors='replace')[-1500:]}" for p in self.folder.glob("*.log"))

    def _needs(self, service: Service) -> set[str]:
        return set(service.told.get("depends_on", {})) & set(self.services)

    def _wait_for_needs(self, service: Service) -> None:
        for name in self._needs(service):
            condition = service.told["depends_on"][name]["condition"]
            needed = self.services[name]
            if condition == "service_completed_successfully":
                assert needed.process is not None
                assert needed.process.wait(_HEALTHY_S) == 0, self.logs()
            elif condition == "service_healthy":
                self._wait(needed)

    def _wait(self, service: Service) -> None:
        try:
            wait_until_blocking(service.healthy, _HEALTHY_S)
        except AssertionError as error:
            raise AssertionError(f"{service.name} is not well: {error}\n{self.logs()}") from None

    def _write_configs(self, service: Service, configs: dict[str, dict[str, str]]) -> None:
        folder = self.folder / "configs" / service.name
        folder.mkdir(parents=True)
        given = service.told.get("configs", ())
        for each in given:  # all of them first: one may name another
            service._places[each["target"]] = str(folder / Path(each["target"]).name)  # pyright: ignore[reportPrivateUsage]
        for each in given:
            text = (ROOT / configs[each["source"]]["file"]).read_text()
            # The one path that is relative to its file.
            text = text.replace('"../../nats/', f'"{os.path.relpath(self.volume("nats"), folder)}/')
            (folder / Path(each["target"]).name).write_text(service.here(text))


def main() -> None:
    """Runs it until it is told to stop."""
    with tempfile.TemporaryDirectory() as folder:
        topology = Topology(Path(folder))
        try:
            topology.start().wait_healthy()
            sys.stdout.write(f"all is well; folders and logs are in {folder}; Ctrl-C stops it\n")
            with contextlib.suppress(KeyboardInterrupt):
                signal.pause()
        finally:
            topology.stop()


if __name__ == "__main__":
    main()
