"""Workflows and tasks are checked when they are defined; an error says where."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from msgspec import Raw

from skerry.core.commands import Call
from skerry.core.retry import NEVER, Retry
from skerry.core.state import Done, State, tag_of
from skerry.core.step import Step
from skerry.core.tasks import (
    CONTEXT,
    Limits,
    TaskContext,
    Written,
    _Decorator,
    read_blob,
    task,
    task_context,
    write_blob,
)
from skerry.core.types import Blob
from skerry.core.workflow import Edge, Workflow
from skerry.errors import DataError, DefinitionError, NotFound
from tests.core.relays import First, Second, relay
from tests.core.scripts import Ended, Play, child, theatre

if TYPE_CHECKING:
    from decimal import Decimal


class Fine(State):
    async def run(self, step: Step) -> Done[int]:
        return Done(1)


class Unreached(State):
    async def run(self, step: Step) -> Done[int]:
        return Done(1)


class UnreachedTwin(State, tag="Fine"):
    async def run(self, step: Step) -> Done[int]:
        return Done(1)


class Round(State):
    async def run(self, step: Step) -> Round:
        return self


class Away(State):
    async def run(self, step: Step) -> Away2 | Done[int]:
        return Done(1)


class Away2(State):
    async def run(self, step: Step) -> Round:
        return Round()


class Twice(State):
    async def run(self, step: Step) -> Twin | Done[int]:
        return Done(1)


class Twin(State, tag="Twice"):
    async def run(self, step: Step) -> Done[int]:
        return Done(1)


class Undeclared(State):
    async def run(self, step: Step) -> Done[int] | Done[Ended | str]:
        return Done(1)


class SameName(State):
    async def run(self, step: Step) -> Done[Play]:
        raise NotImplementedError


class Unannotated(State):
    async def run(self, step: Step):  # type: ignore[no-untyped-def]
        return Done(1)


class Odd(State):
    async def run(self, step: Step) -> str:
        return "?"


class Bare(State):
    async def run(self, step: Step) -> Done:  # type: ignore[type-arg]
        return Done(1)


class Sync(State):
    def run(self, step: Step) -> Done[int]:  # type: ignore[override]
        return Done(1)


class Empty(State):
    pass


class Unresolved(State):
    async def run(self, step: Step) -> Done[Decimal]:
        raise NotImplementedError


class HasSet(State):
    names: list[set[str]]

    async def run(self, step: Step) -> Done[int]:
        return Done(1)


class HasNumberKeys(State):
    days: dict[int, str]

    async def run(self, step: Step) -> Done[int]:
        return Done(1)


class Opaque:
    """No type of msgspec's."""


class HasObject(State):
    inner: dict[str, tuple[Opaque, int]]

    async def run(self, step: Step) -> Done[int]:
        return Done(1)


def make(start: type[State], **more: Any) -> Workflow[Any]:
    return Workflow("wrong", version=1, start=start, **{"result": int, **more})


@pytest.mark.parametrize(
    ("define", "told", "hint"),
    [
        (lambda: make(Fine, states=[Unreached]), "wrong v1: nothing leads to state Unreached", ""),
        (lambda: make(Fine, states=[UnreachedTwin]), "wrong v1: nothing leads to state UnreachedTwin", ""),
        (lambda: make(Round), "from state Round no way leads to an end", "let a state on it return Done[...]"),
        (lambda: make(Away), "from state Away2 no way leads to an end", "let a state"),
        (lambda: make(Twice), "state Twin: its tag 'Twice' is also that of Twice", "another `tag=`"),
        (lambda: make(Undeclared), "state Undeclared: may end with Ended, which is no declared", "add it to `result=`"),
        (lambda: make(SameName, result=msgspec.defstruct("Play", [])), "may end with Play, which is no", "(now: Play)"),
        (lambda: make(Unannotated), "state Unannotated: run() has no return annotation", ""),
        (lambda: make(Odd), "state Odd: run() may return <class 'str'>, which is neither", ""),
        (lambda: make(Bare), "state Bare: run() may return <class 'skerry.core.state.Done'>, which", ""),
        (lambda: make(Sync), "state Sync: needs an `async def run(self, step: Step) -> ...`", ""),
        (lambda: make(Empty), "state Empty: needs an `async def run", ""),
        (lambda: make(Unresolved), "state Unresolved: name 'Decimal' is not defined", "`states=[...]`"),
        (lambda: make(HasSet), "state HasSet.names[]: a set has no order", "use a list or a tuple"),
        (lambda: make(HasNumberKeys), "state HasNumberKeys.days: the keys of a JSON object are text", "`str` keys"),
        (lambda: make(HasObject), "state HasObject.inner[][]: values of Opaque cannot be written", "msgspec.Struct"),
        (lambda: make(Fine, result=Opaque), "result Opaque: values of Opaque cannot be written down", ""),
        (lambda: make(Fine, result=Any), "typing.Any is no class, and so no type of a result", ""),
        (lambda: make(Fine, result=int | list[int] | list[str]), "two result types are called list", ""),
        (lambda: make(Fine, on="an event"), "workflow 'wrong': event 'an event' is not usable", "dots between"),
        (
            lambda: Workflow("a.b", version=1, start=Fine, result=int),
            "'a.b' is not usable as a name",
            "letters, digits",
        ),
        (lambda: Workflow("w", version=0, start=Fine, result=int), "workflow w v0: a version counts from 1", ""),
    ],
)
def test_a_workflow_that_cannot_work_is_refused(define: Callable[[], Any], told: str, hint: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        define()
    assert told in caught.value.message
    assert hint in caught.value.hint


def test_a_workflow_knows_its_edges() -> None:
    assert theatre.edges == (
        Edge("Play", "interlude", False),
        Edge("Play", "Ended", True),
        Edge("interlude", "Play", False),
    )
    assert [edge.target for edge in child.edges] == ["Ended", "None"]
    assert Workflow("on", version=1, start=Fine, result=int, on="invoice.received").on == "invoice.received"


def test_states_and_results_made_in_a_function_can_be_listed() -> None:
    class Local(State):
        async def run(self, step: Step) -> Other | Done[LocalResult]:
            return Done(LocalResult())

    class Other(State):
        async def run(self, step: Step) -> Done[None]:
            return Done(None)

    class LocalResult(msgspec.Struct):
        pass

    workflow = Workflow("local", version=1, start=Local, result=LocalResult | None, states=[Other])
    assert set(workflow.states) == {"Local", "Other"}
    assert workflow.encode_result(LocalResult()) == ("LocalResult", b"{}")
    assert workflow.encode_result(None) == ("None", b"null")
    assert workflow.decode_result("None", Raw(b"null")) is None


def test_a_state_s_module_may_be_gone() -> None:
    class Stray(State):
        async def run(self, step: Step) -> Done[int]:
            return Done(1)

    Stray.__module__ = "gone"
    assert Workflow("stray", version=1, start=Stray, result=int).edges


def test_a_state_without_code_says_so() -> None:
    with pytest.raises(NotImplementedError, match="Empty has no run"):
        Empty().run(None).send(None)  # type: ignore[arg-type]
    assert tag_of(Twin) == tag_of(Twice()) == "Twice"


# --- beginning from data --------------------------------------------------------------------------------------------


class Document(State, tag="doc"):
    file: Blob
    pages: int = 1

    async def run(self, step: Step) -> Done[int]:
        return Done(1)


documents = Workflow("documents", version=1, start=Document, result=int)
BLOB = Blob(sha256="ab", size=3)


def test_a_run_begins_from_data_and_a_file() -> None:
    state = documents.start_from({"pages": "7"}, BLOB)
    assert state == Document(file=BLOB, pages=7)
    assert documents.encode_start(state) == b'{"state":"doc","file":{"sha256":"ab","size":3},"pages":7}'


@pytest.mark.parametrize(
    ("data", "file", "told", "hint"),
    [
        (
            {},
            None,
            "does not fit Document, where documents starts: Object missing required field `file`",
            "file, pages",
        ),
        ({"page": 1}, BLOB, "unknown field `page`", "its fields: file, pages"),
        ({"pages": "many"}, BLOB, "Expected `int`, got `str` - at `$.pages`", "its fields"),
    ],
)
def test_data_that_does_not_fit_is_named(data: dict[str, Any], file: Blob | None, told: str, hint: str) -> None:
    with pytest.raises(DataError) as caught:
        documents.start_from(data, file)
    assert told in caught.value.message
    assert hint in caught.value.hint


class MaybeLetter(State):
    letter: Blob | None = None

    async def run(self, step: Step) -> Done[int]:
        return Done(1)


def test_a_file_needs_its_one_place() -> None:
    with pytest.raises(DataError, match="Fine has 0 Blob fields"):
        make(Fine).start_from({}, BLOB)
    state = Workflow("letters", version=1, start=MaybeLetter, result=int).start_from({}, BLOB)
    assert isinstance(state, MaybeLetter) and state.letter == BLOB, "a place that may stay empty is one, too"


def test_states_and_results_of_others_are_refused() -> None:
    with pytest.raises(DataError, match="starts in First, not in Second"):
        relay.encode_start(Second())
    with pytest.raises(DataError, match="has no state Fine"):
        relay.encode_state(Fine())
    with pytest.raises(DataError, match="has no state Twin"):
        Workflow("t", version=1, start=TwiceAlone, result=int).encode_state(Twin())
    with pytest.raises(DataError, match="has no state Gone"):
        relay.decode_state("Gone", Raw(b"{}"), 1)
    with pytest.raises(DataError, match="has no result type Gone"):
        relay.decode_result("Gone", Raw(b"{}"))
    with pytest.raises(DataError, match="a result of type str was not declared"):
        relay.encode_result("x")
    assert relay.decode_state("First", Raw(b'{"state":"First"}'), 1) == First()


class TwiceAlone(State, tag="Twice"):
    async def run(self, step: Step) -> Done[int]:
        return Done(1)


# --- tasks ----------------------------------------------------------------------------------------------------------


@task
def greet(name: str, times: int = 1, *, loud: bool, mark: str = "!") -> str:
    return f"{name * times}{mark}{loud}"


@task(name="slow", timeout=timedelta(seconds=1), retry=NEVER)
async def slow(number: float) -> list[int]:
    return [int(number)]


def test_a_task_is_an_ordinary_function() -> None:
    assert greet("a", 2, loud=True) == "aa!True"
    assert (greet.name, greet.is_async, slow.is_async, slow.name) == ("greet", False, True, "slow")
    assert vars(greet)["__name__"] == "greet"
    assert greet.where == "task greet (tests.core.test_definitions.greet)"
    greet.check()


def test_arguments_are_packed_by_name() -> None:
    packed, _ = greet.pack(("a",), {"loud": True, "times": 3})
    assert greet.unpack(packed) == {"name": "a", "times": 3, "loud": True, "mark": "!"}
    assert greet(**greet.unpack(packed)) == "aaa!True"


def test_no_attempt_sees_what_the_one_before_did_with_its_arguments() -> None:
    @task
    def spoil(names: list[str]) -> int:
        return len(names)

    call = Call(spoil, (["a"],), {})
    for _ in range(3):
        arguments = call.arguments()
        assert arguments == {"names": ["a"]}
        arguments["names"].append("b")


@pytest.mark.parametrize(
    ("args", "kwargs", "told"),
    [
        ((), {}, "Missing required argument"),
        (("a",), {"loud": True, "lound": 1}, "Unexpected keyword argument 'lound'"),
        ((7,), {"loud": True}, "Expected `str`, got `int` - at `$.name`"),
    ],
)
def test_arguments_that_do_not_fit_are_named(args: tuple[Any, ...], kwargs: dict[str, Any], told: str) -> None:
    with pytest.raises(DataError) as caught:
        greet.pack(args, kwargs)
    assert caught.value.message.startswith("arguments of task greet")
    assert told in caught.value.message


def test_arguments_that_would_not_survive_are_refused() -> None:
    with pytest.raises(DataError, match="Expected `float`, got `null`"):
        slow.pack((float("nan"),), {})
    with pytest.raises(DataError, match="arguments of task greet"):
        greet.unpack(b'{"name":1,"loud":true}')


def _star(*names: str) -> None: ...
def _stars(**names: str) -> None: ...
def _only_by_place(name: str, /) -> None: ...
def _bare_parameter(name) -> None: ...  # type: ignore[no-untyped-def]
def _bare_return(name: str): ...  # type: ignore[no-untyped-def]
def _unknown(name: Decimal) -> None: ...
def _opaque(name: Opaque) -> None: ...
def _set(name: str) -> set[str]:
    return {name}


def _odd_default(names: list[str] = ["x"]) -> None: ...  # noqa: B006 - wrong on purpose


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (_star, "*names has no type that could be written down"),
        (_stars, "*names has no type that could be written down"),
        (_only_by_place, "name must be usable by name"),
        (_bare_parameter, "parameter name has no annotation"),
        (_bare_return, "has no return annotation"),
        (_unknown, "name 'Decimal' is not defined in its annotations"),
        (_opaque, "values of Opaque cannot be written down"),
        (_set, "a set has no order"),
        (_odd_default, "non-empty mutable collection"),
    ],
)
def test_a_task_whose_values_cannot_cross_is_refused(function: Any, told: str) -> None:
    with pytest.raises(DefinitionError, match=function.__name__) as caught:
        task(function).check()
    assert told in caught.value.message


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"size": "huge"}, "there is no size 'huge'"),
        ({"size": "small", "once": True}, "`once` is for local calls"),
        ({"limits": Limits()}, "`limits` are for workers"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: Any, told: str) -> None:
    with pytest.raises(DefinitionError, match="task greet") as caught:
        task(**options)(greet.function)
    assert told in caught.value.message


def test_whether_a_task_takes_documents() -> None:
    @task
    def reads(file: Blob) -> str:
        return file.name

    @task
    def untyped(data: Any) -> str:
        return str(data)

    assert (reads.takes_blobs, untyped.takes_blobs, greet.takes_blobs) == (True, True, False)


def test_the_decorator_for_type_checkers_is_no_function() -> None:
    with pytest.raises(AssertionError):
        _Decorator()(greet.function)


def test_a_task_s_context() -> None:
    with pytest.raises(NotFound, match="no task is running"):
        task_context()
    context = TaskContext(run="r", step="1-1", attempt=1, key="r/1-1")
    token = CONTEXT.set(lambda: context)
    try:
        assert task_context() is context
        with pytest.raises(NotFound, match="no blob store here to read ab"):
            read_blob(BLOB)
        CONTEXT.set(lambda: msgspec.structs.replace(context, read=lambda blob: blob.sha256.encode()))
        assert read_blob(BLOB) == b"ab"
        with pytest.raises(NotFound, match="no blob store here to write a document to"):
            write_blob(b"x")
        written = Written()
        CONTEXT.set(lambda: msgspec.structs.replace(context, write=written.write))
        blob = write_blob(b"x", name="x.txt", media_type="text/plain")
        assert (blob.size, blob.name, blob.media_type, written) == (1, "x.txt", "text/plain", {blob.sha256: b"x"})
    finally:
        CONTEXT.reset(token)


@pytest.mark.parametrize(
    "wrong",
    [{"attempts": 0}, {"first_s": -1.0}, {"factor": 0.0}, {"jitter": 1.5}, {"max_s": float("inf")}, {"max_s": -1.0}],
)
def test_a_retry_policy_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(DefinitionError, match="makes no sense"):
        Retry(**wrong)


class Words(State):
    async def run(self, step: Step) -> Done[list[str]]:
        return Done(["a"])


def test_a_result_may_be_a_generic_type() -> None:
    workflow = Workflow("words", version=1, start=Words, result=list[str])
    assert workflow.encode_result(["a"]) == ("list", b'["a"]')
    assert workflow.decode_result("list", Raw(b'["a"]')) == ["a"]
