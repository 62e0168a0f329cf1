"""A document that a task makes is in the journal before its step is over, and a later task reads it."""

from __future__ import annotations

import pytest

from skerry import Blob, Done, State, Step, Workflow, read_blob, task, write_blob
from skerry.core.codec import sha256
from skerry.testing import Lab

TEXT = b"dear reader, " * 1000


@task
async def in_the_engine() -> tuple[Blob, Blob]:
    return _letters()


@task
def in_a_thread() -> tuple[Blob, Blob]:
    return _letters()


@task(size="rules")
async def in_a_worker() -> tuple[Blob, Blob]:
    return _letters()


@task
async def reads(letter: Blob) -> int:
    return len(read_blob(letter))


def _letters() -> tuple[Blob, Blob]:
    return write_blob(TEXT, name="letter", media_type="text/plain"), write_blob(b"short")


WRITERS = {"engine": in_the_engine, "thread": in_a_thread, "worker": in_a_worker}


class Writing(State):
    where: str

    async def run(self, step: Step) -> Done[int]:
        long, short = await step.call(WRITERS[self.where])
        return Done(await step.call(reads, long) + await step.call(reads, short))


writing = Workflow("writing", version=1, start=Writing, result=int)


@pytest.mark.parametrize("where", WRITERS)
async def test_what_a_task_writes_is_kept(where: str) -> None:
    async with Lab(writing, in_a_worker) as lab:
        run = await lab.start(writing, Writing(where=where))
        assert await lab.result(run) == len(TEXT) + len(b"short")
        assert await lab.engine.journal.blob(sha256(TEXT)) == TEXT
        assert (await lab.replay(run)).agrees
