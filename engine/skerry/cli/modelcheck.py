"""What `skerry doctor` says of models: whether files, backends and endpoints are there, and workers to ask them."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from skerry import shipped
from skerry.cli.checks import Finding
from skerry.core.wire import SIZES, Size
from skerry.errors import SkerryError

if TYPE_CHECKING:
    from skerry.config import Config

_ENDPOINT_S = 3.0


def models(config: Config) -> Iterator[Finding]:
    """Each model of the settings, and each size that has workers and no model. Nothing is loaded, nothing costs."""
    sizes: list[Size] = [size for size in SIZES if size != "rules" and size in config.workers]
    if not sizes and not config.models:
        if shipped.there() and not shipped.runnable():
            found = "none; rules answer, and people: no package that runs the one that comes with Skerry is installed"
            yield Finding("models", "note", found, f"pip install 'skerry[{shipped.EXTRA}]'")
        else:
            yield Finding("models", "ok", "none; rules answer, and people")
        return
    try:
        # `skerry` never imports the workers by name: they are another package.
        report: Any = importlib.import_module("skerry_workers.models.report")
        seen: list[Any] = list(report.look(config.models, config.workers, _ENDPOINT_S))
    except (SkerryError, ImportError) as error:
        yield Finding("models", "bad", str(error), getattr(error, "hint", "") or "pip install --force-reinstall skerry")
        return
    here: list[Size] = [size for size in sizes if config.workers[size].processes]
    for sight in seen:
        ours, asked = sight.name in config.models, sight.size in sizes
        if ours or asked:  # the model that comes with Skerry may lie idle
            yield _of(sight, asked=asked, needed=ours and sight.size in here and not _others(seen, sight))
    for size in sizes:
        if not any(sight.size == size for sight in seen):
            mend = f'name one in skerry.toml: [models.NAME] with a path or a url, and sizes = ["{size}"]'
            yield Finding(f"models {size}", "bad" if size in here else "note", "there is no model of that size", mend)


def _others(seen: Sequence[Any], sight: Any) -> bool:
    """Whether another model of the same size can be asked in its place."""
    return any(each.ok and each.size == sight.size and each.name != sight.name for each in seen)


def _of(sight: Any, *, asked: bool, needed: bool) -> Finding:
    check = f"model {sight.name} ({sight.size})"
    if not asked:
        found = f"nobody asks it: there are no workers of size {sight.size}; {sight.found}"
        return Finding(check, "note", found, f"in skerry.toml: [workers.{sight.size}]")
    if sight.ok:
        return Finding(check, "ok", sight.found)
    return Finding(check, "bad" if needed and not sight.away else "warning", sight.found, sight.mend)
