"""One file of settings for two machines: an engine on one, workers on the other."""

from __future__ import annotations

from pathlib import Path

from tests.cluster.kit import MODULE, PATIENCE_S, Cluster
from tests.cluster.relay import relay
from tests.support import wait_until

FILE = f"""
modules = ["{MODULE}"]
[deployment.office]
[deployment.cellar]
engine = false
workers.rules.slots = 2
"""


async def test_a_deployment_of_two_nodes(house: Cluster) -> None:
    file = house.folder / "skerry.toml"
    file.write_text(FILE)
    known = {"SKERRY_CONFIG": str(file), "SKERRY_DATA": str(house.folder / "office")}
    office = house.program("office", "up", "--node", "office", "--json", **known).start()
    cellar = house.program("cellar", "up", "--node", "cellar", "--json", **known).start()
    async with house.client("office") as client:
        run = await client.start(relay, {"baton": "red", "legs": 2})
        assert [leg.partition(" by ")[0] for leg in (await run.result(timeout_s=PATIENCE_S)).legs] == ["red.0", "red.1"]
        [worker] = await client.workers()
        assert (worker.size, worker.slots) == ("rules", 2)
        cellar.kill()  # its worker dies with it
        await wait_until(lambda: _gone(worker.pid), PATIENCE_S)
    assert (office.stop(), cellar.ended) == (0, True)


def _gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True
