"""From a step to the message on the bus."""

from __future__ import annotations

from msgspec import Raw

from skerry.core.asking import asked_again, schema_of
from skerry.core.codec import sha256
from skerry.core.commands import Ask, Call, Command
from skerry.core.execution import Execution
from skerry.core.pending import Pending
from skerry.core.structs import NOTHING
from skerry.core.wire import (
    MESSAGE_BYTES_MAX,
    MESSAGE_VALUE_BYTES_MAX,
    Task,
    encode,
    event_subject,
    headers,
    task_queue,
    task_subject,
    traceparent,
)
from skerry.errors import DataError, Unavailable
from skerry.ports import Bus, Message

_EVENT_BYTES_MAX = MESSAGE_BYTES_MAX - 4096
"""The rest is for its headers."""
_LEAST_S = 0.001
"""No attempt is given less: no time at all would mean any."""


def task_message(run: Execution, step: str, pending: Pending) -> Task:
    """The message for a step's current attempt."""
    command = pending.command
    name = run.row.run
    large = len(command.args) > MESSAGE_VALUE_BYTES_MAX
    prompt, schema, timeout_s = "", NOTHING, 0.0
    fields: tuple[str, ...] = ()
    if isinstance(command, Ask):
        fields = asked_again(command, pending.best, pending.objections)
        prompt, schema = command.prompt.text, schema_of(command, pending.size, fields)
        timeout_s = _seconds_left(command, pending)
    elif isinstance(command, Call) and command.task.timeout is not None:
        timeout_s = command.task.timeout.total_seconds()
    return Task(
        run=name,
        step=step,
        attempt=pending.attempt,
        workflow=run.row.workflow,
        kind="ask" if isinstance(command, Ask) else "call",
        target=command.target,
        size=pending.size,  # type: ignore[arg-type]  # it is on its way to one: not ""
        key=f"{name}/{step}",
        args=NOTHING if large else Raw(command.args),
        args_blob=sha256(command.args) if large else "",
        prompt=prompt,
        schema=schema,
        objections=tuple(o.message for o in pending.objections),
        fields=fields,
        deadline_us=pending.due_us,
        timeout_s=timeout_s,
        local_only=isinstance(command, Ask) and command.local_only,
    )


async def publish_task(bus: Bus, run: Execution, step: str, pending: Pending) -> None:
    """Puts the current attempt on the bus. Raises `Busy`, `Unavailable`, or `DataError` when it is too long.

    Arguments longer than a message are in the journal already, as the blob of the step's `step.scheduled`.
    """
    task = task_message(run, step, pending)
    size = pending.size
    message = Message(
        task_subject(size, task.id),
        encode(task),
        headers(
            id=str(task.id),
            source=f"skerry/{run.row.workflow}",
            type="skerry.task",
            trace=traceparent(task.run, f"{step}/{task.attempt}"),
        ),
    )
    try:
        await bus.publish(message)
    except Unavailable:
        await bus.ensure(task_queue(size))  # a server that lost its folder has no queues: the journal rebuilds them
        raise


def event_message(node: str, run: str, step: str, command: Command) -> Message:
    """What whoever listens on the bus is told of an emitted event. Raises `DataError` when it is too long for that."""
    if (size := len(command.args)) > _EVENT_BYTES_MAX:
        raise DataError(f"event {command.target} has {size} bytes of data; {_EVENT_BYTES_MAX} are sent at most")
    attributes = headers(id=f"{run}/{step}", source=f"skerry/{node}", type=command.target, trace=traceparent(run, step))
    return Message(event_subject(node, command.target), command.args, attributes)


def _seconds_left(ask: Ask, pending: Pending) -> float:
    """How long the attempt may run: its timeout, or what is left of the budget if that is less. 0: for ever."""
    if ask.budget is None or ask.budget.seconds is None:
        return ask.timeout_s
    left_s = max(_LEAST_S, ask.budget.seconds - pending.spent.seconds)
    return min(ask.timeout_s, left_s) if ask.timeout_s else left_s
