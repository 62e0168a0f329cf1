"""Who has to approve which invoice: a small file that anybody can read, and what it says of one invoice.

    # invoice-policy.toml: the first rule that fits decides. Amounts are gross, in `currency`.
    currency = "EUR"
    orders = "orders.csv"                 # purchase orders, beside this file

    [reminders]
    after_days = 3                        # and every three days again
    delegate_after_days = 7               # from then on deputies may decide, too
    give_up_after_days = 30

    [deputies]
    ada = "cy"

    [[rule]]
    name = "small, and ordered"
    with_order = true                     # an order is known, and covers it
    up_to = 2000
    approvals = 0                         # nobody is asked

    [[rule]]
    name = "the printer"
    vendors = ["Alderway Print*", "DE987654328"]
    cost_centre = "4711"
    up_to = 10000
    approvers = ["ada", "bo"]

    [[rule]]
    name = "all else"
    approvers = ["ada", "bo", "dan"]
    approvals = 2                         # four eyes: two different people

What no rule fits is asked of anybody. Without such a file, `approval_limit` of the settings decides.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

import msgspec

from skerry.errors import TerminalError
from skerry_workflows.invoice.identity import normal_vat_id
from skerry_workflows.invoice.model import InvoiceFields
from skerry_workflows.invoice.orders import Match

_APPROVALS_MAX: Final = 10
_DAYS_MAX: Final = 365
_HINT: Final = "mend the policy file (invoice.policy of the settings), and retry the run"


class Reminders(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When those who are asked are reminded, their deputies may answer, and the invoice is turned down; 0: never."""

    after_days: int = 0
    delegate_after_days: int = 0
    give_up_after_days: int = 30

    def __post_init__(self) -> None:
        """Raises `ValueError` for numbers that make no sense."""
        days = (self.after_days, self.delegate_after_days, self.give_up_after_days)
        if min(days) < 0 or max(days) > _DAYS_MAX or not self.give_up_after_days:
            raise ValueError(f"days are from 0 to {_DAYS_MAX}, and give_up_after_days from 1")

    def next_day(self, after: int) -> int:
        """The day on which the next of the three happens, counted from the question; `after` has passed."""
        days = [self.give_up_after_days, self.delegate_after_days]
        if self.after_days:
            days.append(after - after % self.after_days + self.after_days)
        return min((day for day in days if day > after), default=self.give_up_after_days)


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which invoices it is about, and who approves them.

    `vendors` are names (with * for any letters; case does not matter) or VAT ids, `up_to` is a gross total that is
    still covered. `cost_centres` is a condition, `cost_centre` what is booked where no order says another. Nobody in
    `approvers` means: anybody.
    """

    name: str = ""
    vendors: tuple[str, ...] = ()
    cost_centres: tuple[str, ...] = ()
    with_order: bool = False
    up_to: Decimal | None = None
    cost_centre: str = ""
    approvers: tuple[str, ...] = ()
    approvals: int = 1

    def __post_init__(self) -> None:
        """Raises `ValueError` for an approval that nobody could give, and for a limit that is no amount."""
        if self.up_to is not None and not self.up_to.is_finite():
            raise ValueError(f"up_to is an amount, not {self.up_to}")
        if not 0 <= self.approvals <= _APPROVALS_MAX:
            raise ValueError(f"approvals are from 0 to {_APPROVALS_MAX}")
        if self.approvers and self.approvals > len(set(self.approvers)):
            raise ValueError(f"{self.approvals} approvals by {len(set(self.approvers))} approvers cannot be had")

    def fits(self, fields: InvoiceFields, match: Match, currency: str) -> bool:
        """Whether an invoice is one of those. An amount in another currency than the policy's fits no `up_to`."""
        if self.up_to is not None:
            gross = fields.gross_total
            if gross is None or fields.currency != currency or abs(gross) > self.up_to:
                return False
        if self.with_order and match.verdict != "covered":
            return False
        if self.cost_centres and match.cost_centre not in self.cost_centres:
            return False
        return not self.vendors or any(_is_vendor(vendor, fields) for vendor in self.vendors)


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file. `order_tolerance_percent`: by how much an invoice may be above what is left of its order."""

    currency: str = "EUR"
    orders: str = ""
    order_tolerance_percent: Decimal = Decimal(0)
    reminders: Reminders = Reminders()
    deputies: Mapping[str, str] = {}
    rule: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        """Raises `ValueError` for a tolerance that is none."""
        if not self.order_tolerance_percent.is_finite() or self.order_tolerance_percent < 0:
            raise ValueError(f"order_tolerance_percent is from 0, not {self.order_tolerance_percent}")


class Approval(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one invoice needs: so many `approvals` by different people of `approvers` (or anybody), and why.

    `deputies` may decide in the place of those who are asked once the days of `reminders` are over.
    """

    approvals: int = 1
    approvers: tuple[str, ...] = ()
    deputies: tuple[str, ...] = ()
    reminders: Reminders = Reminders()
    cost_centre: str = ""
    why: str = ""

    def may_decide(self, day: int, lent: Iterable[str] = ()) -> frozenset[str]:
        """Who may, `day` days after the question, with those whom somebody else has let decide; empty: anybody."""
        if not self.approvers:
            return frozenset()
        deputies = self.deputies if 0 < self.reminders.delegate_after_days <= day else ()
        return frozenset({*self.approvers, *deputies, *lent})


def load(path: Path) -> Policy:
    """The policy in a file.

    Raises:
        TerminalError: it is not there, or something in it is not understood; never a default in its place.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TerminalError(f"the policy {path} cannot be read: {error}", hint=_HINT) from None
    try:
        table: dict[str, Any] = tomllib.loads(text, parse_float=Decimal)
        return msgspec.convert(table, Policy, strict=False)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise TerminalError(f"the policy {path.name} is not understood: {error}", hint=_HINT) from None


def needed(policy: Policy, fields: InvoiceFields, match: Match) -> Approval:
    """What the first rule that fits asks for. What was ordered and does not fit its order is never let through."""
    rule = next((rule for rule in policy.rule if rule.fits(fields, match, policy.currency)), Rule())
    approvals = max(rule.approvals, 1 if match.is_conflict else 0)
    why = [match.told] if match.told else []
    if rule.name:
        why.append(f"rule {rule.name!r} asks for {approvals or 'no'} approval{'' if approvals == 1 else 's'}")
    elif approvals:
        why.append("no rule of the policy fits it")
    return Approval(
        approvals=approvals,
        approvers=rule.approvers,
        deputies=tuple(policy.deputies[name] for name in rule.approvers if name in policy.deputies),
        reminders=policy.reminders,
        cost_centre=match.cost_centre or rule.cost_centre,
        why="; ".join(why),
    )


def _is_vendor(vendor: str, fields: InvoiceFields) -> bool:
    by_id = bool(fields.seller_vat_id) and normal_vat_id(vendor) == normal_vat_id(fields.seller_vat_id)
    return by_id or fnmatchcase((fields.seller_name or "").casefold(), vendor.casefold())
