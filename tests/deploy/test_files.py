"""compose.yaml, the Dockerfile and the systemd units: what can be checked of them without Docker and an init."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from skerry.cli import skerry
from tests.deploy.topology import ROOT, compose

SERVICES: dict[str, dict[str, Any]] = compose()["services"]
UNITS = sorted((ROOT / "deploy" / "systemd").iterdir())
PAGE = (ROOT / "docs" / "deploy.md").read_text()
CANNOT_CHECK_ITSELF = {"otel-collector", "jaeger"}
EXPOSED_MAX = 2.0
"""Of systemd's own 10: what a service can still reach if it is taken over."""
_ANYWHERE = "/opt/skerry/bin"


def check_command(words: list[str]) -> None:
    """Every command and option is one that there is. Raises click's error for one that is not."""
    assert words[0].rpartition("/")[2] == "skerry"
    context = click.Context(skerry)
    for length in (2, 1):  # some commands are two words
        name, rest = " ".join(words[1 : 1 + length]), words[1 + length :]
        command = skerry.get_command(context, name)
        if command is not None:
            command.make_parser(click.Context(command, info_name=name)).parse_args(rest)
            return
    raise click.UsageError(f"there is no skerry {name}")


def commands() -> Iterator[tuple[str, list[str]]]:
    """(where it stands, words) of every call of skerry in what this page is about."""
    for name, service in SERVICES.items():
        for words in (service.get("command", []), service.get("healthcheck", {}).get("test", [""])[1:]):
            if words and words[0] == "skerry":
                yield f"compose.yaml: {name}", words
    for unit in UNITS:
        for line in re.findall(r"^ExecStart=(.*skerry .*)$", unit.read_text(), re.M):
            yield unit.name, shlex.split(line.replace("%i", "small"))
    script = (ROOT / "deploy" / "keys.sh").read_text()
    for line in re.findall(r"^[^#]*?(skerry (?:hub|node) [^|)\n]*)", script, re.M):
        yield "keys.sh", shlex.split(line.replace("$hosts", "--host x"))
    for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.M | re.S):
        for line in block.replace("\\\n", " ").splitlines():
            for part in re.findall(
                r"(?:^|&& |exec (?:-T )?\S+ |-u skerry )(?:/opt/skerry/bin/)?(skerry [^#&|]*)", line
            ):
                yield "docs/deploy.md", shlex.split(part)


@pytest.mark.parametrize(
    ("where", "words"), list(commands()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_commands_are_those_of_the_command_line(where: str, words: list[str]) -> None:
    check_command(words)


def test_a_command_that_there_is_not_would_be_found() -> None:
    with pytest.raises(click.UsageError):
        check_command(["skerry", "engine", "--no-such-option"])
    assert len(list(commands())) > 20


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_bounds_and_no_rights(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"[\w./-]+:v?\d+(\.\d+){2}", service["image"]), "an exact version"
    assert not service["user"].startswith(("0", "root"))
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert {"cpus", "memory", "pids"} <= set(service["deploy"]["resources"]["limits"])
    assert not service.get("privileged")
    if name == "keys":
        assert service["restart"] == "no"
        return
    assert service["restart"] == "unless-stopped"
    assert ("healthcheck" in service) == (name not in CANNOT_CHECK_ITSELF)


def test_what_is_named_is_there() -> None:
    told = compose()
    for name, service in SERVICES.items():
        assert set(service.get("depends_on", ())) <= set(SERVICES), name
        assert set(service.get("networks", ())) <= set(told["networks"]), name
        assert {volume.partition(":")[0] for volume in service.get("volumes", ())} <= set(told["volumes"]), name
        assert {each["source"] for each in service.get("configs", ())} <= set(told["configs"]), name
        shared = service.get("network_mode", "none").removeprefix("service:")
        assert shared in {"none", *SERVICES}, name
        for needed, how in service.get("depends_on", {}).items():
            assert how["condition"] != "service_healthy" or "healthcheck" in SERVICES[needed], name
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), "viewers have no passwords: for this machine only"
    for config in told["configs"].values():
        assert (ROOT / config["file"]).is_file()
    used = {volume.partition(":")[0] for service in SERVICES.values() for volume in service.get("volumes", ())}
    assert used == set(told["volumes"])


def test_two_sizes_on_two_nodes() -> None:
    sizes = {name: s["command"][3] for name, s in SERVICES.items() if s.get("command", [])[:2] == ["skerry", "worker"]}
    assert sizes == {f"{node}-{size}": size for node in ("edge1", "edge2") for size in ("rules", "small")}
    for name, service in SERVICES.items():
        if name in sizes:
            assert service["network_mode"] == f"service:{name.partition('-')[0]}"


def test_the_image_has_what_it_is_built_of() -> None:
    text = (ROOT / "Dockerfile").read_text()
    copied = [word for line in re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.M) for word in line.split()]
    assert all((ROOT / path).exists() for path in copied)
    kept = (ROOT / ".dockerignore").read_text().splitlines()
    assert {f"!{path}" for path in copied} == {line for line in kept if line.startswith("!")}
    assert "USER 10001:10001" in text
    assert all(":" in image for image in re.findall(r"^FROM (\S+)", text, re.M))
    folders = re.search(r"--mode 0700 (.*) \\?$", text, re.M) or re.search(r"--mode 0700 (.*)", text)
    assert folders is not None
    # A named volume gets its owner from the folder that it is mounted over.
    mounted = {
        v.split(":")[1] for s in SERVICES.values() if s["image"].startswith("skerry:") for v in s.get("volumes", ())
    }
    assert mounted == set(folders.group(1).split())


def units_here(folder: Path) -> list[Path]:
    """The units, with the programs of this environment in the place of those that they name."""
    made = []
    for unit in UNITS:
        name = unit.name.replace("@.", "@rules.")
        made.append(folder / name)
        made[-1].write_text(unit.read_text().replace(_ANYWHERE, sysconfig.get_path("scripts")))
    return made


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")
def test_units_are_understood_and_sealed(tmp_path: Path) -> None:
    units = [str(unit) for unit in units_here(tmp_path)]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, check=False
    )
    if "Failed to initialize" in done.stderr or "Failed to create" in done.stderr:
        pytest.skip(f"systemd-analyze does not work here: {done.stderr.strip()}")
    assert (done.returncode, done.stderr) == (0, "")
    for unit in units:
        told = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", "--no-pager", unit],
            capture_output=True,
            text=True,
            check=False,
        )
        found = re.search(r"Overall exposure level.*?: ([\d.]+)", told.stdout)
        if found is None:
            pytest.skip("this systemd-analyze looks at running units only")
        assert float(found.group(1)) <= EXPOSED_MAX, unit


def test_a_unit_for_each_service() -> None:
    assert [unit.name for unit in UNITS] == [
        "skerry-engine.service",
        "skerry-hub.service",
        "skerry-nats.service",
        "skerry-up.service",
        "skerry-worker@.service",
    ]
    for unit in UNITS:
        text = unit.read_text()
        assert "User=skerry" in text
        assert unit.name.removesuffix(".service").rstrip("@") in PAGE
