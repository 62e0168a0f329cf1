"""Whether a text is one of a grammar's: a small reader of GBNF, written apart from what writes it."""

from __future__ import annotations

import re
from typing import TypeAlias

Node: TypeAlias = tuple[str, object]

_TOKEN = re.compile(
    r"""\s*(?:(?P<literal>"(?:\\.|[^"\\])*")|(?P<class>\[(?:\\.|[^\]\\])*\])|(?P<name>[a-z][a-z0-9]*)"""
    r"""|(?P<count>\{\d+,\d*\})|(?P<mark>[()|?*]))"""
)
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|.)", re.DOTALL)
_ONES = {"n": "\n", "r": "\r", "t": "\t"}


class Judge:
    """Of one grammar. Raises `ValueError` when it is none."""

    def __init__(self, grammar: str) -> None:
        self.rules: dict[str, Node] = {}
        for line in grammar.splitlines():
            name, _, body = line.partition(" ::= ")
            if name in self.rules:
                raise ValueError(f"two rules {name}")
            self.rules[name] = _Parser(body).whole()
        self._ends: dict[tuple[int, int], frozenset[int]] = {}
        self._text = ""

    def __call__(self, text: str, rule: str = "root") -> bool:
        self._text, self._ends = text, {}
        return len(text) in self._match(self.rules[rule], 0)

    def _match(self, node: Node, at: int) -> frozenset[int]:
        """Where a match that begins at `at` may end."""
        key = (id(node), at)
        if key not in self._ends:
            self._ends[key] = frozenset(self._found(node, at))
        return self._ends[key]

    def _found(self, node: Node, at: int) -> set[int]:
        kind, inner = node
        if kind == "literal":
            assert isinstance(inner, str)
            return {at + len(inner)} if self._text.startswith(inner, at) else set()
        if kind == "class":
            assert isinstance(inner, re.Pattern)
            return {at + 1} if inner.match(self._text[at : at + 1]) else set()
        if kind == "name":
            return set(self._match(self.rules[str(inner)], at))
        assert isinstance(inner, tuple)
        if kind == "any":
            return {end for each in inner for end in self._match(each, at)}
        if kind == "all":
            ends = {at}
            for each in inner:
                ends = {end for start in ends for end in self._match(each, start)}
            return ends
        least, most, repeated = inner
        ends, new, times = ({at} if least == 0 else set()), {at}, 0
        while new and (most is None or times < most):
            times += 1
            new = {end for start in new for end in self._match(repeated, start)} - (ends if times > least else set())
            ends |= new if times >= least else set()
        return ends


class _Parser:
    def __init__(self, body: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        at = 0
        while body[at:].strip():
            found = _TOKEN.match(body, at)
            if found is None:
                raise ValueError(f"no GBNF: {body[at : at + 40]}")
            at = found.end()
            kind = str(found.lastgroup)
            self._tokens.append((kind, found[kind]))
        self._tokens.reverse()

    def whole(self) -> Node:
        found = self._any()
        if self._tokens:
            raise ValueError(f"left over: {self._tokens[-1]}")
        return found

    def _any(self) -> Node:
        found = [self._all()]
        while self._tokens and self._tokens[-1][1] == "|":
            self._tokens.pop()
            found.append(self._all())
        return ("any", tuple(found))

    def _all(self) -> Node:
        found: list[Node] = []
        while self._tokens and self._tokens[-1] not in (("mark", "|"), ("mark", ")")):
            found.append(self._repeated(self._one()))
        return ("all", tuple(found))

    def _one(self) -> Node:
        kind, text = self._tokens.pop()
        if kind == "literal":
            return ("literal", _ESCAPE.sub(_plain, text[1:-1]))
        if kind == "class":
            return ("class", re.compile(text, re.DOTALL))
        if kind == "name":
            return ("name", text)
        if text != "(":
            raise ValueError(f"unexpected {text}")
        found = self._any()
        if self._tokens.pop()[1] != ")":
            raise ValueError("a bracket is open")
        return found

    def _repeated(self, node: Node) -> Node:
        if not self._tokens:
            return node
        kind, text = self._tokens[-1]
        if text not in ("?", "*") and kind != "count":
            return node
        self._tokens.pop()
        if kind == "count":
            least, _, most = text[1:-1].partition(",")
            return ("times", (int(least), int(most) if most else None, node))
        return ("times", (0, 1 if text == "?" else None, node))


def _plain(escape: re.Match[str]) -> str:
    said = escape[1]
    return chr(int(said[1:], 16)) if len(said) == 3 else _ONES.get(said, said)
