"""Settings: three layers, and what is not understood is named."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from skerry import shipped
from skerry.config import Config, Price, Workers, load, parse_workers, unknown_variables
from skerry.errors import DataError


def write(folder: Path, text: str) -> Path:
    file = folder / "skerry.toml"
    file.write_text(text)
    return file


def test_nothing_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "runnable", lambda: False)
    assert load(environ={}) == Config()
    assert Config().data == Path("skerry-data")


def test_a_node_has_workers_for_small_where_there_is_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    both, environ = {"rules": Workers(), "small": Workers()}, {"SKERRY_MODELS": '{"m": {"path": "m.gguf"}}'}
    monkeypatch.setattr(shipped, "runnable", lambda: True)
    assert load(environ={}).workers == both
    assert load(environ={"SKERRY_WORKERS": "rules=2"}).workers == {"rules": Workers(slots=2)}
    monkeypatch.setattr(shipped, "runnable", lambda: False)
    assert load(environ=environ).workers == both


def test_later_layers_win(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        'data = "d"\nnode = "file"\nlog_level = "debug"\n'
        '[limits]\nlive_runs_max = 5\n[invoice]\napproval_limit = "1.50"\n',
    )
    config = load(
        file,
        environ={
            "SKERRY_NODE": "environment",
            "SKERRY_LIMITS_LIVE_RUNS_MAX": "7",
            "SKERRY_WORKERS": "rules=2x3,small=1",
        },
        options={"node": "option", "data": None, "nats": {"url": None}},
    )
    assert config.node == "option"
    assert config.log_level == "debug"
    assert config.limits.live_runs_max == 7
    assert config.invoice.approval_limit == Decimal("1.50")
    assert config.workers == {"rules": Workers(processes=2, slots=3), "small": Workers(processes=1, slots=1)}


def test_paths_in_a_file_are_relative_to_it(tmp_path: Path) -> None:
    file = write(tmp_path, 'data = "d"\n[invoice]\nledger = "l.db"\n[nats]\nurl = "nats://x"\ncreds = "/etc/x.creds"\n')
    config = load(file, environ={})
    assert config.data == tmp_path / "d"
    assert config.ledger == tmp_path / "l.db"
    assert config.nats.creds == Path("/etc/x.creds")


def test_files_of_workflows_reach_their_tasks(tmp_path: Path) -> None:
    (tmp_path / "skerry.toml").write_text('[email]\nfile = "office.toml"\n[scheduling]\nfile = "/etc/meetings.toml"\n')
    told = load(tmp_path / "skerry.toml", environ={}).environment()
    assert told["SKERRY_EMAIL_FILE"] == str(tmp_path / "office.toml")
    assert told["SKERRY_SCHEDULING_FILE"] == "/etc/meetings.toml"
    assert load(environ={"SKERRY_EMAIL_FILE": "m.toml"}).environment()["SKERRY_EMAIL_FILE"] == "m.toml"


def test_the_file_of_the_folder_and_the_one_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, 'node = "here"\n')
    assert load(environ={}).node == "here"
    other = tmp_path / "other.toml"
    other.write_text('node = "there"\n')
    assert load(environ={"SKERRY_CONFIG": str(other)}).node == "there"
    with pytest.raises(DataError, match="there is no"):
        load(tmp_path / "missing.toml", environ={})


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[nats]\nurll = 'x'\n", "there is no setting nats.urll; did you mean url?", "settings there: url, user"),
        ("[workers.rulez]\nslots = 1\n", "there is no setting workers.rulez; did you mean rules?", "rules, small"),
        (
            "[workers.rules]\nslot = 1\n",
            "there is no setting workers.rules.slot; did you mean slots?",
            "processes, slots",
        ),
        ("[limits]\nlive_runs_max = 'many'\n", "limits.live_runs_max: expected `int`, got `str`", "mend limits."),
        ("log_level = 'loud'\n", "log_level: invalid enum value 'loud'", "one of debug, info, warning, error"),
        ("data = \n", "Invalid value", "TOML"),
        ("data = 3\n", "data: expected a path, got 3", "mend data"),
    ],
    ids=["key", "size", "worker", "type", "level", "toml", "path"],
)
def test_what_is_not_understood_is_named(text: str, message: str, hint: str, tmp_path: Path) -> None:
    file = write(tmp_path, text)
    with pytest.raises(DataError) as caught:
        load(file, environ={})
    assert str(file) in caught.value.message
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_a_variable_is_named_as_one() -> None:
    with pytest.raises(DataError, match="SKERRY_LIMITS_LIVE_RUNS_MAX: expected `int`"):
        load(environ={"SKERRY_LIMITS_LIVE_RUNS_MAX": "many"})


def test_the_environment_of_a_child_makes_the_same_settings(tmp_path: Path) -> None:
    options: dict[str, Any] = {
        "data": tmp_path,
        "modules": ["a", "b"],
        "invoice": {"approval_limit": "5.5", "ledger": tmp_path / "l"},
        "workers": {"rules": {"processes": 3, "slots": 2}},
        "nats": {"url": "nats://x"},
    }
    config = load(environ={}, options=options)
    assert load(environ=config.environment()) == config


def test_unknown_variables() -> None:
    found = unknown_variables({"SKERRY_DAT": "x", "SKERRY_DATA": "x", "SKERRY_WORKERS": "rules=1", "HOME": "x"})
    assert found == ["SKERRY_DAT; did you mean SKERRY_DATA?"]


@pytest.mark.parametrize("text", ["rules=", "rules=0", "rules=x4", "rules=2x", "rules=four"])
def test_workers_that_are_not_understood(text: str) -> None:
    if text == "rules=":
        assert parse_workers(text) == {"rules": {"processes": 1, "slots": 4}}
        return
    with pytest.raises(DataError):
        parse_workers(text)


# --- models and workers with limits -----------------------------------------------------------------------------------

MODELS = """
[workers.small]
slots = 2
memory_mb = 3000
http_port = 9600

[models.qwen]
path = "models/qwen.gguf"
sizes = ["small", "medium"]
prompts = ["invoice.extract"]
idle_s = 30
warm = false
options = { cache = "q8_0" }

[models.far]
backend = "openai"
url = "http://127.0.0.1:11434/v1"
model = "qwen3:8b"
key_variable = "OLLAMA_KEY"
sizes = ["large"]
"""


def test_models_and_the_limits_of_workers(tmp_path: Path) -> None:
    config = load(write(tmp_path, MODELS), environ={})
    qwen = config.models["qwen"]
    assert (qwen.path, qwen.sizes, qwen.prompts) == (
        tmp_path / "models/qwen.gguf",
        ("small", "medium"),
        ("invoice.extract",),
    )
    assert (qwen.idle_s, qwen.warm, qwen.options) == (30, False, {"cache": "q8_0"})
    assert (config.models["far"].backend, config.models["far"].path) == ("openai", None)
    assert config.workers == {"small": Workers(slots=2, memory_mb=3000, http_port=9600)}


def test_worker_processes_are_told_the_same(tmp_path: Path) -> None:
    config = load(write(tmp_path, MODELS), environ={})
    told = load(tmp_path / "skerry.toml", environ=config.environment())
    assert (told.models, told.workers) == (config.models, config.workers)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[models.a]\npaht = 'x'\n", "there is no setting models.a.paht; did you mean path?", "backend, path, url"),
        ("[models.a]\npath = 3\n", "models.a.path: expected a path, got 3", "mend models.a.path"),
        ("[models.a]\nsizes = ['small']\n", "models.a: where is it?", "a `path` (file or folder) or a `url`"),
        ("[models.a]\npath = 'x'\nsizes = ['rules']\n", "models.a.sizes[", "one of small, medium, large, cloud"),
        ("[models.a]\npath = 'x'\nbackend = 'gguf'\n", "models.a.backend: invalid enum value 'gguf'", "one of onnx, "),
        ("[models.'a b']\npath = 'x'\n", "models.a b: that is no name", "letters, digits"),
        ("[models.a]\npath = 'x'\nslots = 0\n", "models.a.slots: at least 1", "mend models.a.slots"),
        ("[workers.small]\nmemory_mb = -1\n", "workers.small.memory_mb: at least 0", "mend workers.small.memory_mb"),
        ("[workers.small]\nmemory = 1\n", "there is no setting workers.small.memory; did you mean memory_mb?", "slots"),
        ("models = 3\n", "models: expected `object`", "mend models"),
    ],
)
def test_wrong_models_are_named(tmp_path: Path, text: str, message: str, hint: str) -> None:
    with pytest.raises(DataError) as caught:
        load(write(tmp_path, text), environ={})
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_models_in_the_environment_that_are_no_json() -> None:
    with pytest.raises(DataError, match="SKERRY_MODELS: Input data was truncated"):
        load(environ={"SKERRY_MODELS": "{"})


def test_prices_have_a_currency_and_all_the_same(tmp_path: Path) -> None:
    model = '[models.{0}]\nurl = "http://localhost:1/v1"\n[models.{0}.price]\n{1}\n'
    euro = model.format("a", 'tokens_in = 1\ntokens_out = 4.5\ncurrency = "EUR"')
    config = load(write(tmp_path, euro), environ={})
    assert config.models["a"].price == Price(tokens_in=1.0, tokens_out=4.5, currency="EUR")
    again = load(environ={"SKERRY_MODELS": config.environment()["SKERRY_MODELS"]})
    assert again.models["a"].price == config.models["a"].price
    for text, told in (
        (model.format("a", "tokens_in = 1"), r"models\.a\.price: in which currency\?"),
        (model.format("a", 'tokens_in = -1\ncurrency = "EUR"'), r"models\.a\.price\.tokens_in: 0 or more"),
        (model.format("a", 'tokens_inn = 1\ncurrency = "EUR"'), r"no setting models\.a\.price\.tokens_inn.*tokens_in"),
        (euro + model.format("b", 'tokens_in = 1\ncurrency = "USD"'), "prices in EUR and USD"),
    ):
        with pytest.raises(DataError, match=told):
            load(write(tmp_path, text), environ={})


DEPLOYMENT = """
modules = ["shop"]
[nats]
url = "nats://n1,nats://n2,nats://n3"
replicas = 3
[models.tiny]
path = "tiny.gguf"
[models.big]
path = "big.gguf"
sizes = ["medium"]
[watch.inbox]
kind = "folder"
path = "inbox"
event = "came"
[deployment.office]
workers.rules.processes = 2
workers.small = {}
models = ["tiny"]
watch = ["inbox"]
data = "office"
[deployment.gpu]
engine = false
workers.medium.slots = 2
models = ["big"]
"""


def test_one_file_for_several_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path, DEPLOYMENT)
    office = load(file, environ={}, options={"node": "office"})
    assert (office.node, office.engine, office.data) == ("office", True, tmp_path / "office")
    assert office.workers == {
        "rules": Workers(processes=2),
        "small": Workers(),
        "medium": Workers(processes=0),  # its engine asks for it, and another node has the workers
    }
    assert (list(office.models), list(office.watch)) == (["tiny"], ["inbox"])
    # A child of it, that reads the same file, is the same node.
    assert load(file, environ=office.environment()).workers == office.workers
    gpu = load(file, environ={"SKERRY_NODE": "gpu"})
    assert (gpu.engine, gpu.workers["medium"], list(gpu.models), gpu.watch) == (False, Workers(slots=2), ["big"], {})
    assert gpu.nats == office.nats
    # What is closer still wins.
    assert load(file, environ={"SKERRY_WORKERS": "rules=1", "SKERRY_NODE": "gpu"}).workers == {
        "rules": Workers(slots=1)
    }
    monkeypatch.setattr("socket.gethostname", lambda: "gpu.example")
    assert load(file, environ={}).node == "gpu"
    monkeypatch.setattr("socket.gethostname", lambda: "laptop")
    visitor = load(file, environ={})
    assert (visitor.node, {pool.processes for pool in visitor.workers.values()}) == ("", {0})


@pytest.mark.parametrize(
    ("more", "node", "message", "hint"),
    [
        ("", "offic", "no node offic", "did you mean office?"),
        ('[deployment.lab]\nmodels = ["huge"]\n', "lab", r"no \[models.huge\]", "there are tiny, big"),
        (
            "[deployment.lab]\nworker = 1\n",
            "lab",
            "no setting deployment.lab.worker; did you mean workers?",
            "settings",
        ),
        ("[deployment.lab]\nworkers.huge = {}\n", "lab", "deployment.lab.workers.huge", "rules, small"),
    ],
)
def test_a_deployment_that_is_not_understood(more: str, node: str, message: str, hint: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message) as refused:
        load(write(tmp_path, DEPLOYMENT + more), environ={}, options={"node": node})
    assert hint in refused.value.hint
