"""`State`: one node of a workflow's machine; and `Done`, its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeGuard, TypeVar, dataclass_transform

import msgspec

from skerry.core.structs import FrozenMeta

if TYPE_CHECKING:
    from skerry.core.step import Step

T = TypeVar("T")


class Done(msgspec.Struct, Generic[T], frozen=True):
    """Returned by a state's `run` to end the run with a result."""

    result: T


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class StateMeta(FrozenMeta):
    """Gives every state its tag (the class's name unless it is given as `tag=`) and refuses unknown fields."""

    __state_tag__: str

    def __new__(mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **config: Any) -> StateMeta:
        """Creates the class."""
        config = {"tag": name, "forbid_unknown_fields": True, **config, "tag_field": "state"}
        made: Any = super().__new__(mcls, name, bases, namespace, **config)
        made.__state_tag__ = str(made.__struct_config__.tag)  # which msgspec makes anew each time it is asked for
        return made  # type: ignore[no-any-return]


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class State(msgspec.Struct, metaclass=StateMeta):
    """A frozen struct whose fields are all that the run knows, and whose `run` says what happens next.

    The return annotation of `run` names every state that may follow, and `Done[...]` where the run may end. Inside,
    await nothing but steps. Rename a class freely if you give it its old name as `tag=`.
    """

    async def run(self, step: Step) -> Any:
        """What happens in this state."""
        raise NotImplementedError(f"{type(self).__name__} has no run()")


def is_done(value: object) -> TypeGuard[Done[Any]]:
    """Whether it is an end; of what, is not known here."""
    return isinstance(value, Done)


def tag_of(state: State | type[State]) -> str:
    """The name of a state in the journal."""
    return (state if isinstance(state, type) else type(state)).__state_tag__
