"""What tests share: `from tests.support import wait_until`."""

from tests.support.waiting import wait_until, wait_until_blocking

__all__ = ["wait_until", "wait_until_blocking"]
