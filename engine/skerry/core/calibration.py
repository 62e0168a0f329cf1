"""Thresholds from outcomes: from which confidence on is a field wrong in at most so many cases, and how sure is that?

For each of a fixed set of candidates t, of the n outcomes with a confidence of t or more k were wrong. The risk p of
taking such a field is at most `risk`, with probability 1 - a, if

    P(X <= k) = sum over i <= k of C(n, i) * risk^i * (1 - risk)^(n - i)  <=  a,    X ~ Binomial(n, risk)

which says just that the exact upper limit of Clopper and Pearson (Biometrika 26, 1934, p. 404) is at most `risk`. As
the best of several candidates is taken, each has to pass at a = (1 - confidence) / (number of candidates), after
Bonferroni: then all bounds hold at once with the stated confidence ("Learn then Test", Angelopoulos et al.,
arXiv:2110.01052). Even without any error that takes n >= ln(a) / ln(1 - risk) outcomes: the least number that says
anything. All this holds for fields like those that were looked at: outcomes come from answers that were doubted, so
that the figures are rather too careful, and from a sample of accepted ones (`core.audit`), which has them as they are.
A change of the documents makes them void.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from skerry.core.outcomes import FieldOutcome, by_field
from skerry.core.structs import Frozen
from skerry.core.thresholds import DEFAULT, NEVER, Thresholds

CANDIDATES = (0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
"""Fixed before any outcome is looked at: the bound needs that."""


class Calibrated(Frozen, omit_defaults=True):
    """The threshold of one field, and on what it rests. `threshold` None: the field is never taken on its word.

    Of `n` outcomes `errors` were wrong. At the threshold `accepted` of them pass, of which `passed_errors` are wrong;
    `bound` is the upper limit of the risk there.
    """

    prompt: str
    field: str
    model: str
    threshold: float | None
    n: int
    errors: int
    accepted: int = 0
    passed_errors: int = 0
    bound: float = 1.0


class Found(Frozen):
    """What the outcomes of a field say. `enough` is false when there are too few to say anything: `needs` of them."""

    calibrated: Calibrated
    needs: int
    enough: bool


class Calibration(Frozen):
    """What `calibration.json` holds: all thresholds of a node, with what they rest on.

    `default` is for fields that have none; `risk` and `confidence` are those of the last time.
    """

    version: int = 1
    default: float = DEFAULT
    risk: float = 0.0
    confidence: float = 0.0
    fields: tuple[Calibrated, ...] = ()

    def thresholds(self) -> Thresholds:
        """As an engine uses them."""
        values = {
            (each.prompt, each.field, each.model): NEVER if each.threshold is None else each.threshold
            for each in self.fields
        }
        return Thresholds(values=values, default=self.default)

    def with_found(self, found: Iterable[Found], risk: float, confidence: float) -> Calibration:
        """This one with what was found, where there was enough; the other fields stay as they are."""
        fields = {(each.prompt, each.field, each.model): each for each in self.fields}
        for each in found:
            if each.enough:
                one = each.calibrated
                fields[one.prompt, one.field, one.model] = one
        ordered = tuple(fields[key] for key in sorted(fields))
        return Calibration(default=self.default, risk=risk, confidence=confidence, fields=ordered)


def calibrate(outcomes: Iterable[FieldOutcome], *, risk: float, confidence: float) -> list[Found]:
    """The smallest threshold of each field that keeps the risk; `risk` and `confidence` are between 0 and 1."""
    level = (1 - confidence) / len(CANDIDATES)
    needs = math.ceil(math.log(level) / math.log1p(-risk))
    found: list[Found] = []
    for (prompt, field, model), group in by_field(outcomes).items():
        least = _smallest(group, risk, level)
        passing = [each for each in group if least is not None and each.confidence >= least]
        errors = _errors(passing)
        calibrated = Calibrated(
            prompt=prompt,
            field=field,
            model=model,
            threshold=least,
            n=len(group),
            errors=_errors(group),
            accepted=len(passing),
            passed_errors=errors,
            bound=upper_limit(errors, len(passing), level),
        )
        found.append(Found(calibrated=calibrated, needs=needs, enough=len(group) >= needs))
    return found


def _smallest(group: Sequence[FieldOutcome], risk: float, level: float) -> float | None:
    for candidate in CANDIDATES:
        passing = [each for each in group if each.confidence >= candidate]
        if at_most(_errors(passing), len(passing), risk) <= level:
            return candidate
    return None


def _errors(group: Iterable[FieldOutcome]) -> int:
    return sum(not each.right for each in group)


def at_most(k: int, n: int, p: float) -> float:
    """The probability of at most `k` errors in `n` tries at a risk of `p` each."""
    if k >= n:
        return 1.0
    whole, log_p, log_q = math.lgamma(n + 1), math.log(p), math.log1p(-p)
    return min(
        1.0,
        math.fsum(
            math.exp(whole - math.lgamma(i + 1) - math.lgamma(n - i + 1) + i * log_p + (n - i) * log_q)
            for i in range(k + 1)
        ),
    )


def upper_limit(k: int, n: int, level: float) -> float:
    """Clopper's and Pearson's one-sided upper limit of a risk, at `k` errors in `n` tries; 1 where all were wrong."""
    return 1.0 if k >= n else _bisect(lambda p: at_most(k, n, p) > level)


def _bisect(below: Callable[[float], bool]) -> float:
    """Where `below` turns from true to false, between 0 and 1."""
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) else (low, middle)
    return high
