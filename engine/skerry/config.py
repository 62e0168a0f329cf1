"""Settings: skerry.toml, then the environment, then options; whoever comes later wins.

    data = "skerry-data"
    modules = ["skerry_workflows.invoice.workflow"]

    [workers.rules]
    processes = 2
    slots = 4

    [models.qwen]
    path = "models/qwen3-0.6b-q8_0.gguf"
    sizes = ["small"]

    [watch.invoices]
    kind = "folder"
    path = "inbox"
    event = "invoice.received"

    [invoice]
    approval_limit = "10000"

Where a file is for several machines, `[deployment.NODE]` says which of them does what: docs/guides/cluster.md.

A variable is named after its key: SKERRY_DATA, SKERRY_NATS_URL, SKERRY_LIMITS_LIVE_RUNS_MAX. Lists are written with
commas, workers as `rules=4` (slots) or `rules=2x4` (processes x slots). Models, and workers with limits, are written as
the JSON of their tables: SKERRY_MODELS, SKERRY_WORKERS.
"""

from __future__ import annotations

import difflib
import math
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast, get_args

import msgspec

from skerry import shipped
from skerry.core.structs import Frozen
from skerry.core.wire import SIZES, Size
from skerry.deployment import deployed
from skerry.errors import DataError
from skerry.people import Person
from skerry.runtime.limits import EngineLimits
from skerry.settings import NAMED, Backend, ModelSize, short
from skerry.settings import Machine as Machine
from skerry.settings import Model as Model
from skerry.settings import Price as Price
from skerry.settings import Workers as Workers
from skerry.telemetry.settings import Telemetry
from skerry.tools import Tool

if TYPE_CHECKING:
    from skerry.bus import LocalServer, RemoteServer
    from skerry.bus.serverconfig import Leaf

FILE = "skerry.toml"
MODULES = (
    "skerry_workflows.invoice.workflow",
    "skerry_workflows.email.workflow",
    "skerry_workflows.scheduling.workflow",
)
"""The workflows that come with Skerry."""
LogLevel: TypeAlias = Literal["debug", "info", "warning", "error"]

_PREFIX = "SKERRY_"
_FILE_VARIABLE = "SKERRY_CONFIG"
_ENVIRONMENT = "environment"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class Server(Frozen):
    """A NATS server, or several by commas, and how to get in. See `skerry.bus.RemoteServer`."""

    url: str = ""
    user: str = ""
    password: str = ""
    token: str = ""
    creds: Path | None = None
    nkey: Path | None = None
    tls_ca: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    inbox_prefix: str = ""


class Nats(Server):
    """Which NATS server or cluster to use; without a `url`, Skerry starts its own server.

    `replicas`: how many servers of the cluster keep each stream: 1, 3 or 5. `connection`, instead of a `url`: the
    connection.json of another node on this machine, whose server this one shares. `member`: the name under which the
    server lets a person in, who speaks in that name then.
    """

    replicas: int = 1
    member: str = ""
    connection: Path | None = None

    def target(self) -> RemoteServer | LocalServer | None:
        """For `NatsBus.connect`; None when Skerry starts its own server."""
        from skerry.bus import LocalServer, RemoteServer

        if self.connection is not None:
            return LocalServer(file=self.connection)
        fields = {name: getattr(self, name) for name in (*Server.__struct_fields__, "replicas", "member")}
        return RemoteServer(**fields) if self.url else None


class Hub(Server):
    """Where this node hands over its journal; without `url` and `connection`: nowhere. See docs/guides/edge.md.

    `url` and credentials as in `[nats]`, of the hub's NATS server. `connection`: the connection.json of a hub on this
    machine with a server of its own. `domain`: the JetStream domain of the hub, where `url` is a server that reaches it
    through a leaf. `leaf`: `url` is where the hub's server takes leaf nodes; the server that this node starts has a
    link to there, and everything goes through it. `cloud`: tasks of the size `cloud` go to workers at the hub.
    `withhold` names workflows of whose runs only headers leave this machine. `bytes_per_s` bounds what goes over the
    link; 0 does not.
    """

    connection: Path | None = None
    domain: str = ""
    leaf: bool = False
    cloud: bool = False
    withhold: tuple[str, ...] = ()
    bytes_per_s: int = 0

    @property
    def serves_cloud(self) -> bool:
        """Whether tasks of the size `cloud` go to the hub."""
        return self.cloud and self.server() is not None

    def link(self) -> Leaf | None:
        """The link that the node's own server is to have. Raises `DataError` when its key cannot be read."""
        from urllib.parse import quote

        from skerry.bus.serverconfig import Leaf

        if not self.leaf or not self.url:
            return None
        scheme, _, rest = self.url.rpartition("://")
        named = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}@" if self.user else ""
        try:
            seed = self.nkey.read_text().strip() if self.nkey is not None else ""
        except OSError as error:
            raise DataError(f"the key of the hub's server cannot be read: {error}") from None
        url = f"{scheme or 'nats-leaf'}://{named}{rest}"
        return Leaf(url, seed, self.creds, self.tls_ca, self.inbox_prefix)

    def server(self) -> RemoteServer | LocalServer | None:
        """Where the uplink connects to; None when there is no hub."""
        from skerry.bus import LocalServer, RemoteServer

        if self.connection is not None:
            return LocalServer(file=self.connection)
        fields = {name: getattr(self, name) for name in Server.__struct_fields__}
        return RemoteServer(**fields) if self.url else None


class Invoice(Frozen):
    """What the invoice workflow needs to know; see docs/guides/invoices.md.

    `ledger`: ledger.db in the data folder unless it is given. `policy` is a file that says who approves what; without,
    anybody approves from `approval_limit` on. Each posting is sent to `webhook`, with the token that stands in the
    environment variable `webhook_token_env`.
    """

    ledger: Path | None = None
    approval_limit: Decimal = Decimal(10_000)
    policy: Path | None = None
    webhook: str = ""
    webhook_token_env: str = ""


class Email(Frozen):
    """What the email workflow needs to know. `file`: mail.toml in the data folder unless it is given."""

    file: Path | None = None


class Scheduling(Frozen):
    """What the scheduling workflow needs to know. `file`: scheduling.toml in the data folder unless it is given."""

    file: Path | None = None


class Config(Frozen):
    """All settings of a node, its workers and its commands."""

    data: Path = Path("skerry-data")
    node: str = ""
    """This node's name; empty: the one in the journal, or one made from the host's name."""
    group: str = ""
    """Engines of one group on one NATS cluster share what comes to any of them: who claims it first begins it."""
    modules: tuple[str, ...] = MODULES
    nats: Nats = Nats()
    hub: Hub = Hub()
    workers: dict[Size, Workers] = msgspec.field(default_factory=lambda: {"rules": Workers()})
    watch: dict[str, dict[str, Any]] = {}
    """What is watched, by name; see `skerry.sources`."""
    models: dict[str, Model] = {}
    people: dict[str, Person] = {}
    """Who may do what; nobody named: everybody may do everything. See `skerry.people`."""
    tools: dict[str, Tool] = {}
    """What workflows may call, by the name of the task; nothing named: everything. See `skerry.tools`."""
    worth: dict[str, str] = msgspec.field(default_factory=lambda: {"invoice": "fields.gross_total"})
    """By workflow, where the amount stands on which people decide: the path of a field of a state."""
    limits: EngineLimits = EngineLimits()
    deployment: dict[str, Machine] = {}
    """Which node does what, where the file is for several. What the others do is not in the other settings."""
    engine: bool = True
    """Whether `skerry up` runs an engine here, or workers only."""
    telemetry: Telemetry = Telemetry()
    invoice: Invoice = Invoice()
    email: Email = Email()
    scheduling: Scheduling = Scheduling()
    http_port: int = 0
    """Where the engine answers /livez, /readyz, /startupz and /metrics, on this machine only. 0: nowhere."""
    log_level: LogLevel = "info"

    @property
    def connection_file(self) -> Path:
        """Where a supervised nats-server says how to reach it."""
        return self.data.absolute() / "nats" / "connection.json"

    @property
    def ledger(self) -> Path:
        """The invoice workflow's ledger."""
        return self.invoice.ledger or self.data / "ledger.db"

    def environment(self) -> dict[str, str]:
        """The settings as variables, for processes that we start: `load` makes the same settings of them."""
        named = {variable: _written(value) for variable, value in _leaves(self)}
        named["SKERRY_WORKERS"] = self._written_workers()
        named["SKERRY_MODELS"] = self._written_models()
        named["SKERRY_DATA"] = str(self.data.absolute())
        named["SKERRY_INVOICE_LEDGER"] = str(self.ledger.absolute())
        named["SKERRY_INVOICE_POLICY"] = str(self.invoice.policy.absolute()) if self.invoice.policy else ""
        return {variable: text for variable, text in named.items() if text}

    def _written_workers(self) -> str:
        if short(self.workers):
            return ",".join(f"{size}={w.processes}x{w.slots}" for size, w in self.workers.items())
        return msgspec.json.encode(self.workers).decode()

    def _written_models(self) -> str:
        if not self.models:
            return ""
        named = {name: msgspec.structs.asdict(model) for name, model in self.models.items()}
        for model in named.values():
            model["path"] = str(model["path"].absolute()) if model["path"] is not None else None
        return msgspec.json.encode(named).decode()


def load(
    file: Path | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    options: Mapping[str, Any] | None = None,
) -> Config:
    """The settings of all three layers.

    Args:
        file: skerry.toml; $SKERRY_CONFIG, or the one in the current folder (which need not be there), unless given.
        environ: the environment.
        options: in the shape of the file; values that are None count as not given.

    Raises:
        DataError: something does not fit; says in which layer, at which key, and what was probably meant.
    """
    layers = [
        _file_layer(file, environ),
        _checked(_environment_layer(environ), _ENVIRONMENT, strict=False),
        _checked(_without_none(options or {}), "options", strict=False),
    ]
    if layers[0].get("deployment"):
        layers[0] = deployed(layers[0], next((layer["node"] for layer in reversed(layers) if layer.get("node")), ""))
    merged: dict[str, Any] = {}
    for layer in layers:
        _merge(merged, layer)
    config = msgspec.convert(merged, Config, dec_hook=_decode, strict=False)
    _check_currency(config.models)
    if config.hub.leaf and config.hub.connection is None:
        from skerry.bus.connectionfile import LEAF_FILE_NAME

        through = config.connection_file.with_name(LEAF_FILE_NAME)
        config = msgspec.structs.replace(config, hub=msgspec.structs.replace(config.hub, connection=through))
    return config if "workers" in merged else msgspec.structs.replace(config, workers=default_workers(config.models))


def default_workers(models: Mapping[str, Model]) -> dict[Size, Workers]:
    """The workers of a node whose settings name none: `rules`, and `small` where there is a model for it.

    That is one of the settings, or the one that comes with Skerry if a package that runs it is installed.
    """
    small = any("small" in model.sizes for model in models.values()) or shipped.runnable()
    return {"rules": Workers(), "small": Workers()} if small else {"rules": Workers()}


def parse_workers(text: str) -> dict[str, dict[str, int]]:
    """`rules=4,small=2x1`: slots, or processes x slots, by size; or the JSON of the tables. Raises `DataError`."""
    if text.lstrip().startswith("{"):
        return _json_of("SKERRY_WORKERS", text)
    pools: dict[str, dict[str, int]] = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        size, _, counts = part.partition("=")
        processes, times, slots = (counts or "4").partition("x")
        if not times:
            processes, slots = "1", processes
        if not (processes.isdigit() and slots.isdigit() and int(slots) > 0):
            raise DataError(f"workers {part!r} are not understood", hint="write rules=4, or rules=2x4 for 2 processes")
        pools[size] = {"processes": int(processes), "slots": int(slots)}
    return pools


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """Variables that begin like ours and mean nothing, with what was probably meant, for `skerry doctor`."""
    known = [*(variable for variable, _ in _leaves(Config())), "SKERRY_WORKERS", "SKERRY_MODELS", _FILE_VARIABLE]
    return [f"{name}{_near(name, known)}" for name in sorted(environ) if name.startswith(_PREFIX) and name not in known]


# --- layers -----------------------------------------------------------------------------------------------------------


def _file_layer(file: Path | None, environ: Mapping[str, str]) -> dict[str, Any]:
    named = file or (Path(environ[_FILE_VARIABLE]) if environ.get(_FILE_VARIABLE) else None)
    path = named or Path(FILE)
    try:
        layer = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if named is None:
            return {}
        raise DataError(f"there is no {path}", hint=f"leave it out, or make one: {FILE} holds the settings") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: {error}", hint="it is written in TOML, see toml.io") from None
    checked = _checked(layer, str(path), strict=True)
    _anchor(checked, path.absolute().parent)
    return checked


def _environment_layer(environ: Mapping[str, str]) -> dict[str, Any]:
    layer: dict[str, Any] = {}
    for variable, path, value in _places(Config()):
        text = environ.get(variable)
        if text:
            at = layer
            for key in path[:-1]:
                at = at.setdefault(key, {})
            parts = [part.strip() for part in text.split(",") if part.strip()]
            at[path[-1]] = parts if isinstance(value, tuple) else text
    if environ.get("SKERRY_WORKERS"):
        layer["workers"] = parse_workers(environ["SKERRY_WORKERS"])
    if environ.get("SKERRY_MODELS"):
        layer["models"] = _json_of("SKERRY_MODELS", environ["SKERRY_MODELS"])
    return layer


def _json_of(variable: str, text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise DataError(f"{variable}: {error}", hint="write the JSON object of the tables, by name") from None


def _checked(layer: dict[str, Any], where: str, *, strict: bool) -> dict[str, Any]:
    """The layer itself, when all of it is understood."""
    for path, known in _unknown(layer, Config()):
        raise DataError(f"{where}: there is no setting {'.'.join(path)}{_near(path[-1], known)}", hint=_keys(known))
    for table, name, entry in _entries(layer):
        _check_entry(where, table, name, entry, strict=strict)
    try:
        msgspec.convert(layer, Config, dec_hook=_decode, strict=strict)
    except msgspec.ValidationError as error:
        message, _, at = str(error).partition(" - at ")
        key = at.strip("`").removeprefix("$.") or "the settings"
        if where == _ENVIRONMENT:
            key = _PREFIX + key.replace(".", "_").upper()
        hint = f"one of {', '.join(get_args(LogLevel))}" if key.lower().endswith("log_level") else f"mend {key}"
        raise DataError(f"{where}: {key}: {message[:1].lower()}{message[1:]}", hint=hint) from None
    return layer


def _unknown(layer: Mapping[str, Any], settings: msgspec.Struct) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Keys that there are not, each with those that there are."""
    known = list(settings.__struct_fields__)
    for key, value in layer.items():
        if key not in known:
            yield (key,), known
            continue
        inside = getattr(settings, key)
        if isinstance(value, Mapping) and isinstance(inside, msgspec.Struct):
            for path, names in _unknown(cast("Mapping[str, Any]", value), inside):
                yield (key, *path), names
    for table, name, entry in _entries(layer):
        if table == "workers" and name not in SIZES:
            yield (table, name), list(SIZES)
        elif isinstance(entry, Mapping):
            for path, names in _unknown(cast("Mapping[str, Any]", entry), NAMED[table]()):
                yield (table, name, *path), names


def _entries(layer: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """(table, name, what stands there) of the tables whose keys are names."""
    for table in NAMED:
        entries = layer.get(table)
        if isinstance(entries, Mapping):
            for name, entry in cast("Mapping[str, Any]", entries).items():
                yield table, name, entry


def _check_entry(where: str, table: str, name: str, entry: Any, *, strict: bool) -> None:
    """Of one entry, so that the error can name it: of a table's entries msgspec says `[...]`."""
    key = f"{table}.{name}"
    try:
        made = msgspec.convert(entry, NAMED[table], dec_hook=_decode, strict=strict)
    except msgspec.ValidationError as error:
        message, _, at = str(error).partition(" - at ")
        key += at.strip("`").removeprefix("$")
        hint = f"mend {key}"
        if ".sizes" in key or ".backend" in key:
            kinds = get_args(ModelSize) if ".sizes" in key else get_args(Backend)
            hint = f"one of {', '.join(filter(None, kinds))}"
        raise DataError(f"{where}: {key}: {message[:1].lower()}{message[1:]}", hint=hint) from None
    if isinstance(made, Model):
        if not _NAME.fullmatch(name):
            raise DataError(f"{where}: {key}: that is no name", hint="letters, digits, `.`, `_` and `-`")
        if made.path is None and not made.url:
            raise DataError(f"{where}: {key}: where is it?", hint="give a `path` (file or folder) or a `url`")
        _check_price(where, f"{key}.price", made.price)
    for field in ("processes", "slots", "threads", "context", "memory_mb", "models_max", "idle_s", "http_port"):
        least = 1 if field == "slots" else 0
        if getattr(made, field, least) < least:
            raise DataError(f"{where}: {key}.{field}: at least {least}", hint=f"mend {key}.{field}")


def _check_price(where: str, key: str, price: Price) -> None:
    for field in ("tokens_in", "tokens_cached", "tokens_out"):
        if not 0 <= (getattr(price, field) or 0) < math.inf:
            raise DataError(f"{where}: {key}.{field}: 0 or more", hint=f"mend {key}.{field}")
    if price.known and not price.currency:
        raise DataError(f"{where}: {key}: in which currency?", hint='say it: currency = "EUR"')


def _check_currency(models: Mapping[str, Model]) -> None:
    words = sorted({model.price.currency for model in models.values() if model.price.known})
    if len(words) > 1:
        hint = "give all prices in one currency: budgets add them up"
        raise DataError(f"models have prices in {' and '.join(words)}", hint=hint)


def _merge(into: dict[str, Any], layer: Mapping[str, Any]) -> None:
    """Tables are merged key by key; but who names workers or models names all of them."""
    for key, value in layer.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict) and key not in NAMED:
            _merge(into[key], cast("Mapping[str, Any]", value))
        else:
            into[key] = dict(cast("Mapping[str, Any]", value)) if isinstance(value, Mapping) else value


def _anchor(layer: dict[str, Any], folder: Path) -> None:
    """Paths in a file are relative to the file."""
    for _, path, value in _places(Config()):
        at: Any = layer
        for key in path[:-1]:
            at = at.get(key, {})
        if path[-1] in at and (isinstance(value, Path) or path[-1] in _PATHS):
            at[path[-1]] = str(folder / at[path[-1]])
    for table, _, entry in _entries(layer):
        if table == "models" and entry.get("path"):
            entry["path"] = str(folder / Path(entry["path"]).expanduser())
    for machine in layer.get("deployment", {}).values():
        if machine.get("data"):
            machine["data"] = str(folder / Path(machine["data"]).expanduser())
    for entry in layer.get("watch", {}).values():
        for key in ("path", *(key for key in entry if key.endswith("_file"))):
            if isinstance(entry.get(key), str):
                entry[key] = str(folder / Path(entry[key]).expanduser())


_PATHS = frozenset(("connection", "creds", "nkey", "tls_ca", "tls_cert", "tls_key", "ledger", "policy", "file"))
"""Settings that are paths, and None unless they are given."""


def _places(settings: msgspec.Struct, path: tuple[str, ...] = ()) -> Iterator[tuple[str, tuple[str, ...], Any]]:
    """(variable, keys, value) of every single setting but the workers and models."""
    for name in settings.__struct_fields__:
        value = getattr(settings, name)
        if isinstance(value, msgspec.Struct):
            yield from _places(value, (*path, name))
        elif not isinstance(value, dict):
            yield _PREFIX + "_".join((*path, name)).upper(), (*path, name), value


def _leaves(settings: Config) -> Iterator[tuple[str, Any]]:
    return ((variable, value) for variable, _, value in _places(settings))


def _written(value: Any) -> str:
    if value is None:
        return ""
    return ",".join(cast("tuple[str, ...]", value)) if isinstance(value, tuple) else str(value)


def _without_none(options: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key, value in options.items():
        if isinstance(value, Mapping):
            value = _without_none(cast("Mapping[str, Any]", value))
        if value is not None and value != {}:
            kept[key] = value
    return kept


def _decode(type: type, value: Any) -> Any:
    """What msgspec asks for types that it does not know: paths."""
    if type is Path and isinstance(value, str | Path):
        return Path(value).expanduser()
    raise ValueError(f"expected a path, got {value!r:.80}")


def _near(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _keys(known: list[str]) -> str:
    return f"settings there: {', '.join(known)}"
