"""`[deployment.NODE]` in skerry.toml: one file for several machines, and what of it is for one of them."""

from __future__ import annotations

import difflib
import socket
from collections.abc import Mapping
from typing import Any

from skerry.errors import DataError


def deployed(layer: Mapping[str, Any], node: str) -> dict[str, Any]:
    """The settings of a file as one node has them: with its own workers, models and watches.

    Sizes that only other nodes have workers for stay, with no process: the engine asks them all the same. Without a
    `node`, this machine's name says which it is; if it is none of them, only what all share stays.

    Raises `DataError` when the deployment has no such node, or names a model or watch that there is not.
    """
    nodes: Mapping[str, Mapping[str, Any]] = layer["deployment"]
    host = socket.gethostname().partition(".")[0]
    name = node or (host if host in nodes else "")
    if name and name not in nodes:
        close = difflib.get_close_matches(name, nodes, n=1)
        hint = f"did you mean {close[0]}?" if close else f"nodes there: {', '.join(nodes)}"
        raise DataError(f"the deployment has no node {name}", hint=hint)
    mine = nodes.get(name, {})
    workers = {size: {"processes": 0} for each in nodes.values() for size in each.get("workers", {})}
    own = {key: mine[key] for key in ("engine", "data", "http_port") if key in mine}
    made = {**layer, **own, "workers": {**workers, **mine.get("workers", {})}}
    if name:
        made["node"] = name
        made["watch"] = _chosen(layer, "watch", mine.get("watch", ()), name)
        if mine.get("models"):
            made["models"] = _chosen(layer, "models", mine["models"], name)
    return made


def _chosen(layer: Mapping[str, Any], table: str, names: list[str], node: str) -> dict[str, Any]:
    known: Mapping[str, Any] = layer.get(table, {})
    for name in names:
        if name not in known:
            there = ", ".join(known) or "none"
            raise DataError(f"deployment.{node}.{table}: there is no [{table}.{name}]", hint=f"there are {there}")
    return {name: known[name] for name in names}
