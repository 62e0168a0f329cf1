"""`calibration.json` in the data folder: written by `skerry calibrate`, read by the node, also while it runs.

The model that comes with Skerry has one of its own, which holds for the fields that the node's has nothing about.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import msgspec

from skerry import shipped
from skerry.core.calibration import Calibration
from skerry.core.fleet import Fleet
from skerry.core.thresholds import Thresholds
from skerry.errors import DataError

log = logging.getLogger("skerry.calibration")

FILE = "calibration.json"
_LOOK_S = 2.0


def read(folder: Path) -> Calibration:
    """The calibration of a data folder; that of nothing, if there is no such file. Raises `DataError`."""
    path = folder / FILE
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Calibration()
    try:
        found = msgspec.json.decode(data, type=Calibration)
    except msgspec.MsgspecError as error:
        raise DataError(
            f"{path} cannot be read: {error}", hint="remove it: skerry calibrate --apply makes it again"
        ) from None
    if found.version != Calibration().version:
        raise DataError(f"{path} has version {found.version}", hint="a newer Skerry wrote it: use that one")
    return found


def thresholds(folder: Path) -> Thresholds:
    """Those of a data folder and, of fields that it has none for, those of the model that comes with Skerry.

    Raises `DataError`.
    """
    own, place = read(folder).thresholds(), shipped.folder()
    if place is None:
        return own
    return Thresholds(values={**read(place).thresholds().values, **own.values}, default=own.default)


class Follower:
    """Keeps a fleet's thresholds as the file has them. Looking costs one `stat` every two seconds."""

    def __init__(self, folder: Path, fleet: Fleet) -> None:
        """Reads the file. Raises `DataError` when it cannot: which risk is taken must not depend on luck."""
        self._folder = folder
        self._fleet = fleet
        self._seen = self._look()
        fleet.thresholds = thresholds(folder)

    async def run(self) -> None:
        """Follows it until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_S)
            self.refresh()

    def refresh(self) -> bool:
        """Reads it again if it has changed; true if so. One that cannot be read changes nothing, and is told."""
        now = self._look()
        if now == self._seen:
            return False
        self._seen = now
        try:
            self._fleet.thresholds = thresholds(self._folder)
        except (DataError, OSError) as error:
            log.warning("the thresholds stay as they are: %s", error)
            return False
        log.info("thresholds are those of the new %s", FILE)
        return True

    def _look(self) -> tuple[int, int, int]:
        try:
            found = (self._folder / FILE).stat()
        except OSError:
            return 0, 0, 0
        return found.st_ino, found.st_mtime_ns, found.st_size
