"""`skerry doctor` says what is wrong with keys, certificates and people."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from skerry.cli.securitycheck import security
from skerry.config import Config, Hub, Nats
from skerry.journal.sealed import new_keys, write_keys
from skerry.people import Person
from skerry.security import authority
from tests.security.kit import Town


def found(config: Config) -> dict[str, tuple[str, str]]:
    return {each.check: (each.verdict, each.found) for each in security(config)}


def test_where_all_is_well_it_says_so(tmp_path: Path) -> None:
    assert found(Config(data=tmp_path)) == {}
    town = Town(tmp_path)
    town.enrol("edge1", "node")
    write_keys(town.data, new_keys(None))
    assert {check: verdict for check, (verdict, _) in found(Config(data=town.data)).items()} == {
        "secrets": "ok",
        "members": "ok",
        "certificate": "ok",
        "sealing": "ok",
    }
    assert found(Config(data=tmp_path / "edge1"))["secrets"][0] == "ok"


def test_what_is_wrong_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for days, verdict in ((-1, "bad"), (20, "warning")):
        monkeypatch.setattr(authority, "SERVER_DAYS", days)
        (tmp_path / verdict).mkdir()
        town = Town(tmp_path / verdict)
        assert found(Config(data=town.data))["certificate"][0] == verdict
    (town.data / "security" / "key.nk").chmod(0o644)
    write_keys(town.data, new_keys(new_keys(None)))
    people = {"ada": Person(roles=("approve",), limit=Decimal(5), workflows=("odd", "invoice"))}
    told = found(Config(data=town.data, people=people))
    assert told["secrets"] == ("bad", f"others may read {town.data / 'security' / 'key.nk'}")
    assert told["sealing"][0] == "warning"
    assert told["people"][0] == "warning"
    assert "odd" in told["people"][1]
    assert "invoice" not in told["people"][1]
    (town.data / "security" / "roll.json").write_text("{")
    assert found(Config(data=town.data))["members"][0] == "bad"


def test_a_link_that_leaves_the_machine_in_plain_text_is_named(tmp_path: Path) -> None:
    plain = Config(data=tmp_path, nats=Nats(url="nats://u:s3cret@far.example:4222,localhost:4222"))
    assert found(plain) == {"links": ("warning", "nats: what goes to far.example can be read on the way")}
    for url in ("tls://far.example", "nats://127.0.0.1:4222", "nats://[::1]:4222", ""):
        assert found(Config(data=tmp_path, hub=Hub(url=url))) == {}
    assert found(Config(data=tmp_path, hub=Hub(url="far.example", tls_ca=tmp_path / "ca.pem"))) == {}
