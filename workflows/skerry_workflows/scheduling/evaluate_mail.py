"""The tasks of `evaluate` whose cases are mails: another folder, so another module for `skerry eval`."""

from __future__ import annotations

from collections.abc import Mapping

from skerry_workflows.evaluation import Task
from skerry_workflows.scheduling.evaluate import MAIL_TASKS

TASKS: Mapping[str, Task] = MAIL_TASKS
