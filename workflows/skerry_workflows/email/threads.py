"""Which messages belong together: THREAD=REFERENCES and THREAD=ORDEREDSUBJECT of RFC 5256, on messages in memory."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from skerry_workflows.email.model import Message

_START = re.compile(
    r"\s+|\[[^\[\]]*\]\s*(?=\S)|(?:re|fwd?|aw|wg|sv|vs|antw|tr|rif|odp|enc|res|ynt|bls|ref|doorst|vb|回复|转发|答复)"
    r"\s*(?:\[[^\[\]]*\]|\(\d+\)|\d+)?\s*[:：]",
    re.IGNORECASE,
)
_REPLY = re.compile(
    r"^(?:\s|\[[^\[\]]*\])*(?:re|aw|sv|vs|antw|odp|res|ynt|rif|回复|答复)\s*(?:\[[^\]]*\]|\(\d+\)|\d+)?\s*[:：]", re.I
)
_FORWARD = re.compile(
    r"^(?:\s|\[[^\[\]]*\])*(?:fwd?|wg|tr|enc|doorst|vb|转发)\s*(?:\[[^\]]*\])?\s*[:：]", re.IGNORECASE
)
_TRAILER = re.compile(r"(?:\(fwd\)|\s)+$", re.IGNORECASE)
_LATER = dt.timedelta(days=30)
_NEVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Entry(NamedTuple):
    """What threading needs of a message. `number` is its place in the folder, from 1."""

    number: int
    message_id: str
    references: tuple[str, ...]
    subject: str
    sent: dt.datetime


def entry_of(number: int, message: Message, arrived: dt.datetime | None = None) -> Entry:
    """Of a message that came to the folder at `arrived`, which stands in for a date that it does not have."""
    references = message.references or message.in_reply_to[:1]
    sent = message.date or arrived or _NEVER
    return Entry(number, message.message_id, references, message.subject, sent)


def base_subject(subject: str) -> str:
    """Without what replies, forwards and lists add (RFC 5256, 2.1, and the abbreviations of other languages)."""
    text = re.sub(r"\s+", " ", subject).strip()
    while True:
        before = text
        text = _TRAILER.sub("", text)
        while found := _START.match(text):
            rest = text[found.end() :]
            if not rest.strip():
                break
            text = rest
        if wrapped := re.fullmatch(r"\[fwd:(.*)\]", text, re.IGNORECASE):
            text = wrapped[1].strip()
        if text == before:
            return text.casefold()


def is_reply_or_forward(subject: str) -> bool:
    """Whether the subject says that it is one (RFC 5256, 2.1)."""
    wrapped = bool(re.match(r"\s*\[fwd:", subject, re.IGNORECASE) or re.search(r"\(fwd\)\s*$", subject, re.IGNORECASE))
    return wrapped or bool(_REPLY.match(subject) or _FORWARD.match(subject))


@dataclass(slots=True, eq=False)
class Node:
    """A place in a tree; without an `entry` where a message is referred to and not there."""

    entry: Entry | None = None
    parent: Node | None = None
    children: list[Node] = field(default_factory=list["Node"])

    def below(self, other: Node) -> bool:
        """Whether this is `other`, or somewhere under it."""
        at: Node | None = self
        while at is not None:
            if at is other:
                return True
            at = at.parent
        return False

    def walk(self) -> Iterator[Node]:
        """This node and all under it, without recursion: a thread may be a thousand deep."""
        waiting: list[Node] = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(node.children))

    @property
    def first(self) -> Entry:
        """Its own message, or the first of its children's."""
        return next(node.entry for node in self.walk() if node.entry is not None)

    def attach(self, child: Node) -> None:
        """Makes `child` the last of its children."""
        if child.parent is not None:
            child.parent.children.remove(child)
        child.parent = self
        self.children.append(child)


def by_references(entries: Sequence[Entry], *, by_subject: bool = True) -> list[Node]:
    """The threads of RFC 5256's REFERENCES (that of Jamie Zawinski), oldest first.

    `by_subject`: whether threads of one subject are joined at the end, as the RFC has it (its step 5).
    """
    roots = _linked(entries)
    roots = _pruned(roots)
    roots.sort(key=_order)
    if by_subject:
        roots = _joined(roots)
    for root in roots:
        for node in list(root.walk()):
            node.children.sort(key=_order)
    roots.sort(key=_order)
    return roots


def conversations(entries: Sequence[Entry]) -> list[list[Entry]]:
    """Messages that belong together, for people: by what they refer to.

    The subject counts only for a reply that refers to nothing (some clients leave that out), and only for `_LATER`:
    beyond that, people reuse subjects.
    """
    groups = [
        sorted(
            (node.entry for node in root.walk() if node.entry is not None), key=lambda each: (each.sent, each.number)
        )
        for root in by_references(entries, by_subject=False)
    ]
    groups.sort(key=lambda group: (group[0].sent, group[0].number))
    kept: list[list[Entry]] = []
    for group in groups:
        first = group[0]
        alone = is_reply_or_forward(first.subject) and not first.references
        home = next((each for each in reversed(kept) if _same_talk(each, first)), None) if alone else None
        if home is None:
            kept.append(group)
        else:
            home += group
    return kept


def _same_talk(group: list[Entry], entry: Entry) -> bool:
    subject = base_subject(entry.subject)
    lately = entry.sent - max(each.sent for each in group) <= _LATER
    return bool(subject) and lately and any(base_subject(each.subject) == subject for each in group)


def by_ordered_subject(entries: Sequence[Entry]) -> list[Node]:
    """The threads of RFC 5256's ORDEREDSUBJECT: one subject, one thread, in which all follow the first."""
    threads: dict[str, Node] = {}
    for entry in sorted(entries, key=lambda each: (each.sent, each.number)):
        subject = base_subject(entry.subject)
        if subject in threads:
            threads[subject].attach(Node(entry))
        else:
            threads[subject] = Node(entry)
    return list(threads.values())


def answer(threads: Sequence[Node]) -> str:
    """The threads as an IMAP server answers them: `(1 2)(3 (4)(5))`."""
    return "".join(f"({_written(thread)})" for thread in threads)


def _written(thread: Node) -> str:
    """Iterative: what is still to be written is either text or a node."""
    pieces: list[str] = []
    waiting: list[str | Node] = [thread]
    while waiting:
        at = waiting.pop()
        if isinstance(at, str):
            pieces.append(at)
            continue
        if at.entry is not None:
            pieces.append(str(at.entry.number))
        if len(at.children) == 1:
            waiting += [at.children[0], " "] if at.entry is not None else [at.children[0]]
        elif at.children:
            if at.entry is not None:
                pieces.append(" ")
            for child in reversed(at.children):
                waiting += [")", child, "("]
    return "".join(pieces)


# --- the steps of RFC 5256, "REFERENCES" ------------------------------------------------------------------------------


def _linked(entries: Sequence[Entry]) -> list[Node]:
    """Steps 1 and 2."""
    nodes: dict[str, Node] = {}
    made: list[Node] = []
    for entry in entries:
        node = nodes.get(entry.message_id) if entry.message_id else None
        if node is None or node.entry is not None:  # an id of its own, or one that another message has already
            node = Node()
            made.append(node)
            if entry.message_id and entry.message_id not in nodes:
                nodes[entry.message_id] = node
        node.entry = entry
        parent: Node | None = None
        for reference in entry.references:
            known = nodes.get(reference)
            if known is None:
                known = nodes[reference] = Node()
                made.append(known)
            if parent is not None and known.parent is None and not parent.below(known):
                parent.attach(known)
            parent = known
        if parent is not None and not parent.below(node):
            parent.attach(node)
    return [node for node in made if node.parent is None]


def _pruned(roots: list[Node]) -> list[Node]:
    """Step 3: places without a message go; at the top, one with several children stays to hold them together."""
    everything = [node for root in roots for node in root.walk()]
    for node in reversed(everything):  # children before their parents
        kept: list[Node] = []
        for child in node.children:
            kept += [child] if child.entry is not None else child.children
        for child in kept:
            child.parent = node
        node.children = kept
    top: list[Node] = []
    for root in roots:
        if root.entry is None and len(root.children) <= 1:
            for child in root.children:
                child.parent = None
            top += root.children
        else:
            top.append(root)
    return top


def _joined(roots: list[Node]) -> list[Node]:
    """Step 5: threads of one subject become one."""
    table: dict[str, Node] = {}
    for root in roots:
        subject = base_subject(root.first.subject)
        held = table.get(subject)
        if not subject:
            continue
        if held is None or (held.entry is not None and (root.entry is None or (_again(held) and not _again(root)))):
            table[subject] = root
    top: list[Node] = []
    for root in roots:
        subject = base_subject(root.first.subject)
        held = table.get(subject)
        if held is None or held is root:
            top.append(root)
        elif held.entry is None and root.entry is None:
            for child in list(root.children):
                held.attach(child)
        elif held.entry is None or (_again(root) and not _again(held)):
            held.attach(root)
        else:
            both = table[subject] = Node()
            both.attach(held)
            both.attach(root)
            top = [each for each in top if each is not held] + [both]
    return [each for each in top if each.parent is None]


def _again(node: Node) -> bool:
    return is_reply_or_forward(node.first.subject)


def _order(node: Node) -> tuple[dt.datetime, int]:
    return node.first.sent, node.first.number
