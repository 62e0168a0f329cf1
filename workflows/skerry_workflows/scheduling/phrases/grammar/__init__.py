"""The grammar of times in words: the same for all languages, over the kinds of words that their tables give.

`atoms` has numbers, lengths and times of day, `days` has dates and stretches of the calendar, `spans` what is put
together of them, `sets` what recurs. In patterns, names in capitals are kinds of words, others are rules; see `parser`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from skerry_workflows.scheduling.phrases.parser import Rule


@cache
def rules(order: str, hours: int) -> Mapping[str, Sequence[Rule]]:
    """The rules by name, for a language's order of day and month, and its clock of 12 or 24 hours."""
    from skerry_workflows.scheduling.phrases.grammar import atoms, days, numeric, sets, spans

    table: dict[str, list[Rule]] = {}
    for rule in (*atoms.rules(hours), *numeric.rules(order), *days.RULES, *spans.RULES, *sets.RULES):
        table.setdefault(rule.name, []).append(rule)
    return table
