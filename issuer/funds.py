"""What each fund pays of what is granted in a pass year, in the unit of its purses."""

from collections.abc import Mapping
from dataclasses import dataclass

from issuer.scheme import Purse, Scheme, Unit


@dataclass(frozen=True)
class Cost:
    """What a fund pays. `budget` is what it may give (None: no end); nobody is refused when it is less."""

    fund: str
    unit: Unit
    amount: int
    budget: int | None


def costs(scheme: Scheme, granted: Mapping[int, int]) -> list[Cost]:
    """`granted` is {grant: amount}. Nothing is lost by rounding: together the funds pay what is granted."""
    paid: dict[tuple[str, Unit], int] = {}
    budgets = {fund.name: fund.budget for fund in scheme.funds}
    of_purse: dict[int, int] = {}

    def pay(fund: str, unit: Unit, amount: int) -> None:
        paid[fund, unit] = paid.get((fund, unit), 0) + amount

    for grant in scheme.grants:
        amount = granted.get(grant.number, 0)
        if grant.fund:
            pay(grant.fund, scheme.purses[grant.purse].unit, amount)
        else:
            of_purse[grant.purse] = of_purse.get(grant.purse, 0) + amount
    for number, amount in of_purse.items():
        purse = scheme.purses[number]
        left = {name: _left(budgets[name], paid.get((name, purse.unit), 0)) for name in purse.funds}
        for fund, part in (_by_share(purse, amount) if purse.split == "share" else _in_order(amount, left)).items():
            pay(fund, purse.unit, part)
    order = list(budgets)
    ranked = sorted(paid.items(), key=lambda each: order.index(each[0][0]))
    return [Cost(fund, unit, amount, budgets[fund]) for (fund, unit), amount in ranked]


def _left(budget: int | None, paid: int) -> int | None:
    return None if budget is None else max(0, budget - paid)


def _in_order(amount: int, left: Mapping[str, int | None]) -> dict[str, int]:
    """The first until its budget is used up, then the next; the last has the rest, whatever its budget."""
    parts = {}
    *first, last = left
    for fund in first:
        room = left[fund]
        parts[fund] = amount if room is None else min(amount, room)
        amount -= parts[fund]
    parts[last] = amount
    return parts


def _by_share(purse: Purse, amount: int) -> dict[str, int]:
    """Each its percentage, rounded down; what is left over goes by one to those that lost most, the first first."""
    whole = {fund: amount * share // 100 for fund, share in zip(purse.funds, purse.shares, strict=True)}
    lost = {fund: amount * share % 100 for fund, share in zip(purse.funds, purse.shares, strict=True)}
    for fund in sorted(lost, key=lambda fund: -lost[fund])[: amount - sum(whole.values())]:
        whole[fund] += 1
    return whole
