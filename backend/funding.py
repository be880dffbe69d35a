"""An amount divided over funds: to the whole cent, point, visit or item, and in the order of the funds."""

from collections.abc import Mapping, Sequence


def by_share(amount: int, percentages: Sequence[int]) -> list[int]:
    """Parts in proportion; what rounding down leaves goes by one to those that lost most by it, the first of equals."""
    parts = [amount * each // sum(percentages) for each in percentages]
    lost = [amount * each % sum(percentages) for each in percentages]
    for place in sorted(range(len(parts)), key=lambda place: -lost[place])[: amount - sum(parts)]:
        parts[place] += 1
    return parts


def in_order(amount: int, left: Sequence[int | None]) -> list[int]:
    """The first as far as it has something left (None: always), then the next; what nobody has is on the last."""
    parts = []
    for has in left:
        part = amount if has is None else min(amount, max(0, has))
        parts.append(part)
        amount -= part
    parts[-1] += amount
    return parts


def in_proportion(whole: int, parts: Mapping[str, int], owner: str) -> dict[str, int]:
    """`whole` divided in proportion to `parts`, in whole cents; what rounding leaves, and all when there are no parts,
    is the owner's."""
    total = sum(parts.values())
    shares = {name: whole * part // total if total else 0 for name, part in parts.items()}
    shares[owner] += whole - sum(shares.values())
    return shares
