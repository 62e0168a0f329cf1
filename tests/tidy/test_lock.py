"""The lock holds every dependency, and no address."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.tidy.sources import ROOT

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[A-Za-z0-9.+!]+)(?: ; (?P<marker>.+))?$")

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()

NOT_LOCKED = {"training"}
"""Extras of which `make lock` says why."""
EXTRAS = [group for name, group in PROJECT["optional-dependencies"].items() if name not in NOT_LOCKED]
REQUIREMENTS = [
    requirement
    for group in (PROJECT["dependencies"], *EXTRAS)
    for requirement in map(Requirement, group)
    if requirement.name != PROJECT["name"]
]


@pytest.mark.parametrize("line", LOCK)
def test_a_line_of_the_lock_is_a_pin(line: str) -> None:
    """`name==version ; marker`, and so no URL, no option, no path."""
    assert _PIN.match(line), "write the lock anew: make lock"


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=str)
def test_a_dependency_is_locked(requirement: Requirement) -> None:
    pins = [pin for line in LOCK if (pin := _PIN.match(line))]
    name = canonicalize_name(requirement.name)
    versions = [pin["version"] for pin in pins if canonicalize_name(pin["name"]) == name]
    assert versions, f"{requirement.name} is not in the lock: make lock"
    assert all(requirement.specifier.contains(version) for version in versions), f"locked {versions}: make lock"


def test_the_dependencies_were_found() -> None:
    assert {"msgspec", "nats-py", "pytest", "ruff"} <= {requirement.name for requirement in REQUIREMENTS}
