"""From an offer and a typed price to what the pass is asked for. Whole cents; a percentage rounds down."""

from card.record import MOST_PRICE, NO_PURSE, TAP, ClearRecord

FIXED = "fixed"
TYPED = "typed"
PERCENT = "percent"
_NO_MOVE = (NO_PURSE, 0)


def is_price(cents):
    """Whether somebody may type this; the backend refuses the same."""
    return 0 < cents <= MOST_PRICE


class Order:
    """What one tap moves: `moves` [(purse, amount)], and the price, discount and co-payment in cents.

    `once_more`: staff know that this pass was charged for the same just now, and mean it.
    """

    def __init__(self, offer, moves, price=0, discount=0, copayment=0):
        self.once_more = False
        self.offer = offer
        self.moves = moves
        self.price = price
        self.discount = discount
        self.copayment = copayment

    def record(self, terminal, sequence, day):
        """The record of a tap of it."""
        purse1, amount1 = self.moves[0]
        purse2, amount2 = self.moves[1] if len(self.moves) == 2 else _NO_MOVE
        return ClearRecord(
            TAP,
            terminal,
            sequence,
            day,
            self.offer["n"],
            purse1,
            amount1,
            purse2,
            amount2,
            self.price,
            self.discount,
            self.copayment,
        )

    def same_as(self, record):
        """Whether a record is of this very order."""
        return (record.offer, record.debits(), record.price) == (self.offer["n"], self.moves, self.price)


class Line:
    """One line of the menu: a name, and the offer that it stands for in each municipality that has it."""

    def __init__(self, name):
        self.name = name
        self.offers = {}  # by issuer

    @property
    def needs_price(self):
        """Whether somebody has to type one, for some pass or other."""
        for offer in self.offers.values():
            if offer["price"] != FIXED:
                return True
        return False

    def orders(self, price, once_more=False):
        """By issuer, what a pass of it is asked for: the pass decides which of them is taken."""
        made = {issuer: order(offer, price) for issuer, offer in self.offers.items()}
        for one in made.values():
            one.once_more = once_more
        return made


def menu(bundles):
    """The lines of all bundles in their order; offers of the same name are one line."""
    lines: list[Line] = []
    for bundle in bundles:
        for offer in bundle.offers:
            line = _line_for(lines, offer["name"], bundle.issuer)
            if line is None:
                line = Line(offer["name"])
                lines.append(line)
            line.offers[bundle.issuer] = offer
    return lines


def _line_for(lines, name, issuer):
    for line in lines:
        if line.name == name and issuer not in line.offers:
            return line
    return None


def order(offer, price=0):
    """The Order for an offer of the bundle at a typed price in cents; a fixed offer has no other price than its own."""
    if offer["price"] == FIXED:
        price = 0
    amount = price if offer["price"] == TYPED else offer["amount"]
    moves = [(offer["purse"], amount)]
    if offer["purse2"] != NO_PURSE:
        moves.append((offer["purse2"], offer["amount2"]))
    if offer["price"] != PERCENT:
        return Order(offer, moves, price)
    discount = price * offer["percent"] // 100
    if offer["cap"]:
        discount = min(discount, offer["cap"])
    return Order(offer, moves, price, discount, price - discount)
