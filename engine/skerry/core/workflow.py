"""`Workflow`: a definition, checked when it is made. Its edges are the return annotations of its states."""

from __future__ import annotations

import inspect
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints, overload

import msgspec
from msgspec import Raw

from skerry.core.codec import encode_json
from skerry.core.ids import check_event, check_token
from skerry.core.state import Done, State, tag_of
from skerry.core.step import Step
from skerry.core.types import Blob, Crossing
from skerry.errors import DataError, DefinitionError

R = TypeVar("R")
StateUpcaster = Callable[[str, dict[str, Any]], tuple[str, dict[str, Any]]]


class Edge(NamedTuple):
    """A way from one state to another, or to an end with a result of the type `target`."""

    source: str
    target: str
    ends: bool


class Workflow(Generic[R]):
    """A typed state machine with a name and a version.

    Args:
        name: one token: letters, digits, `_` and `-`.
        version: raise it when live runs could not go on under the new code.
        start: the state in which a run begins; the trigger's data decodes into its fields.
        result: the type (or union of types) that runs end with.
        on: the type of the events that start a run, such as "invoice.received".
        states: only needed when annotations cannot be resolved (states made inside a function, or imported under
            `TYPE_CHECKING`).
        upcasters: from a version to the one after it: a function of (state tag, its fields) to new ones, through
            which states of runs that began under the old version are read.

    Raises `DefinitionError`, which says where, for anything that could not work.
    """

    @overload
    def __init__(
        self,
        name: str,
        *,
        version: int,
        start: type[State],
        result: type[R],
        on: str = "",
        states: Sequence[type[State]] = (),
        upcasters: Mapping[int, StateUpcaster] | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self: Workflow[Any],
        name: str,
        *,
        version: int,
        start: type[State],
        result: types.UnionType | None,
        on: str = "",
        states: Sequence[type[State]] = (),
        upcasters: Mapping[int, StateUpcaster] | None = None,
    ) -> None: ...
    def __init__(
        self,
        name: str,
        *,
        version: int,
        start: type[State],
        result: Any,
        on: str = "",
        states: Sequence[type[State]] = (),
        upcasters: Mapping[int, StateUpcaster] | None = None,
    ) -> None:
        try:
            self.name: str = check_token("workflow", name)
            if on:
                check_event(on)
        except DataError as error:
            raise DefinitionError(f"workflow {name[:140]!r}: {error.message}", hint=error.hint) from None
        self.version = version
        self.start = start
        self.on = on
        self.upcasters: dict[int, StateUpcaster] = dict(upcasters or {})
        self.where: str = f"workflow {name} v{version}"
        if version < 1:
            raise DefinitionError(f"{self.where}: a version counts from 1")
        self._results = self._check_results(result)
        self.states: dict[str, Crossing[State]] = {}
        self.edges: tuple[Edge, ...] = tuple(self._explore(states))
        self._check_reach(states)

    # --- definition checks ----------------------------------------------------------------------------------------

    def _check_results(self, result: Any) -> dict[str, Crossing[Any]]:
        results: dict[str, Crossing[Any]] = {}
        for option in _options(result):
            tag = _result_tag(option)
            if option is Any or not inspect.isclass(get_origin(option) or option):
                raise DefinitionError(f"{self.where}: {option!r} is no class, and so no type of a result")
            if tag in results:
                raise DefinitionError(f"{self.where}: two result types are called {tag}")
            results[tag] = Crossing(option, f"{self.where}: result {tag}")
        return results

    def _explore(self, listed: Sequence[type[State]]) -> Iterator[Edge]:
        """All edges that can be reached from the start, breadth first."""
        names = {state.__name__: state for state in (*listed, self.start)}
        queue, seen = [self.start], {self.start}
        while queue:
            state = queue.pop(0)
            where = f"{self.where}: state {state.__name__}"
            tag = tag_of(state)
            if tag in self.states:
                raise DefinitionError(
                    f"{where}: its tag {tag!r} is also that of {self.states[tag].type.__qualname__}",
                    hint="give one of them another `tag=`",
                )
            self.states[tag] = Crossing(state, where)
            for target in _options(self._return_of(state, names, where)):
                if get_origin(target) is Done:
                    for result in _options(get_args(target)[0]):
                        if (
                            _result_tag(result) not in self._results
                            or self._results[_result_tag(result)].type != result
                        ):
                            raise DefinitionError(
                                f"{where}: may end with {_result_tag(result)}, which is no declared result",
                                hint=f"add it to `result=` (now: {' | '.join(self._results)})",
                            )
                        yield Edge(tag, _result_tag(result), True)
                elif inspect.isclass(target) and issubclass(target, State):
                    yield Edge(tag, tag_of(target), False)
                    if target not in seen:
                        seen.add(target)
                        queue.append(target)
                else:
                    raise DefinitionError(
                        f"{where}: run() may return {target!r}, which is neither a state nor Done[...]"
                    )

    def _return_of(self, state: type[State], names: dict[str, type[State]], where: str) -> Any:
        if not inspect.iscoroutinefunction(state.run) or state.run is State.run:
            raise DefinitionError(f"{where}: needs an `async def run(self, step: Step) -> ...`")
        # Result types made inside a function are known by name as well; `list` must stay what it is for `list[str]`.
        scope = {tag: r.type for tag, r in self._results.items() if get_origin(r.type) is None}
        scope |= vars(sys.modules[state.__module__]) if state.__module__ in sys.modules else {}
        try:
            hints = get_type_hints(state.run, globalns=scope, localns={**names, "Step": Step, "Done": Done})
        except Exception as error:  # annotations are evaluated: they can fail in any way
            raise DefinitionError(
                f"{where}: {error} in the annotations of run()", hint="list the workflow's states in `states=[...]`"
            ) from None
        if "return" not in hints:
            raise DefinitionError(f"{where}: run() has no return annotation, so its edges are unknown")
        return hints["return"]

    def _check_reach(self, listed: Sequence[type[State]]) -> None:
        for state in listed:
            if tag_of(state) not in self.states or self.states[tag_of(state)].type is not state:
                raise DefinitionError(f"{self.where}: nothing leads to state {state.__name__}")
        ending = {edge.source for edge in self.edges if edge.ends}
        while more := {e.source for e in self.edges if e.target in ending and not e.ends} - ending:
            ending |= more
        if stuck := sorted(set(self.states) - ending):
            raise DefinitionError(
                f"{self.where}: from state {stuck[0]} no way leads to an end", hint="let a state on it return Done[...]"
            )

    # --- values ---------------------------------------------------------------------------------------------------

    def encode_start(self, state: State) -> bytes:
        """The JSON of a start state. Raises `DataError` when it is not one of this workflow's."""
        if type(state) is not self.start:
            raise DataError(f"{self.where} starts in {self.start.__name__}, not in {type(state).__name__}")
        return self.encode_state(state)[0]

    def start_from(self, data: Mapping[str, Any], file: Blob | None = None) -> State:
        """The start state from a trigger's data; `file` goes into its one field of type `Blob` (or `Blob | None`).

        Raises `DataError` that names what is missing, wrong or too much.
        """
        fields = dict(data)
        if file is not None:
            places = [f.name for f in msgspec.structs.fields(self.start) if f.type in (Blob, Blob | None)]
            if len(places) != 1:
                raise DataError(
                    f"{self.where} cannot be started with a file: {self.start.__name__} has {len(places)} Blob fields",
                    hint="name the field in the data",
                )
            fields[places[0]] = msgspec.to_builtins(file)
        fields["state"] = tag_of(self.start)
        try:
            return msgspec.convert(fields, self.start, strict=False)
        except msgspec.ValidationError as error:
            raise DataError(
                f"the data does not fit {self.start.__name__}, where {self.name} starts: {error}",
                hint=f"its fields: {', '.join(self.start.__struct_fields__)}",
            ) from None

    def encode_state(self, state: State) -> tuple[bytes, State]:
        """(JSON, the state as it comes back). Raises `DataError`."""
        crossing = self.states.get(tag_of(state))
        if crossing is None or crossing.type is not type(state):
            raise DataError(f"{self.where} has no state {type(state).__name__}")
        return crossing.cross(state)

    def decode_state(self, tag: str, value: Raw, version: int) -> State:
        """A state that was recorded under a version of this workflow. Raises `DataError`."""
        raw: bytes | Raw = value
        if version != self.version:
            tag, raw = self._upcast(tag, raw, version)
        if tag not in self.states:
            raise DataError(f"{self.where} has no state {tag}", hint="keep the state, or add an upcaster")
        return self.states[tag].decode(raw)

    def _upcast(self, tag: str, raw: bytes | Raw, version: int) -> tuple[str, bytes]:
        fields: dict[str, Any] = msgspec.json.decode(raw)
        for old in range(version, self.version):
            if old not in self.upcasters:
                raise DataError(
                    f"the run was recorded under {self.name} v{version}, the code is v{self.version}",
                    hint=f"register v{version} beside it, or give v{self.version} an upcaster from {old}",
                )
            try:
                tag, fields = self.upcasters[old](tag, fields)
                fields = {**fields, "state": tag}
            except Exception as error:
                raise DataError(
                    f"{self.where}: the upcaster from {old} failed on state {tag}: {type(error).__name__}: {error}",
                    hint="mend it and `skerry retry` the run",
                ) from error
        return tag, encode_json(fields)

    def encode_result(self, result: Any) -> tuple[str, bytes]:
        """(its type's tag, JSON). Raises `DataError` when its type was not declared."""
        tag = _result_tag(type(result))
        if tag not in self._results:
            raise DataError(f"{self.where}: a result of type {tag} was not declared")
        return tag, self._results[tag].cross(result)[0]

    def decode_result(self, tag: str, value: Raw) -> R:
        """A run's result. Raises `DataError`."""
        if tag not in self._results:
            raise DataError(f"{self.where} has no result type {tag}")
        return self._results[tag].decode(value)  # type: ignore[no-any-return]


def _options(type: Any) -> tuple[Any, ...]:
    """The members of a union, or the one type."""
    options = get_args(type) if get_origin(type) in (Union, types.UnionType) else (type,)
    return tuple(types.NoneType if option is None else option for option in options)


def _result_tag(type: Any) -> str:
    return "None" if type is types.NoneType else getattr(type, "__name__", str(type))
