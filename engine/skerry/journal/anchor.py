"""A place of the journal and its hash, to be kept where the journal is not (promise J5)."""

from __future__ import annotations

from skerry.core.structs import Frozen
from skerry.errors import DataError


class Anchor(Frozen):
    """The journal of `node` had this hash (hex) at `seq`. As text it is one word, short enough for paper."""

    node: str
    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.node}:{self.seq}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> Anchor:
        """The anchor that was written as `text`.

        Raises:
            DataError: it is none.
        """
        node, _, rest = text.strip().partition(":")
        seq, _, digest = rest.partition(":")
        try:
            whole = len(bytes.fromhex(digest)) == 32
            return cls(node=node, seq=int(seq), hash=digest.lower()) if whole and node else cls._refuse(text)
        except ValueError:
            return cls._refuse(text)

    @classmethod
    def _refuse(cls, text: str) -> Anchor:
        raise DataError(f"{text!r} is no anchor", hint="it looks like node:1234:64 hexadecimal digits")
