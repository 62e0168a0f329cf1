"""Nodes for the tests; whatever they started is gone afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.faults.harness import Node, tell

MakeNode: TypeAlias = Callable[..., Node]


@pytest.fixture
def make_node(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[MakeNode]:
    """Makes nodes, each with a folder of its own; nothing runs yet. Their logs are shown when the test fails."""
    nodes: list[Node] = []

    def make(**options: Any) -> Node:
        folder = tmp_path / f"node{len(nodes)}"
        folder.mkdir()
        nodes.append(Node(folder, **options))
        return nodes[-1]

    yield make
    for node in nodes:
        node.clean()
        tell(f"--- {node.log}\n{node.log_tail()}")
