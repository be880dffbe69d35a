"""From an offer and a typed price to what the pass is asked for. Whole cents; a percentage rounds down."""

from card.record import NO_PURSE

FIXED = "fixed"
TYPED = "typed"
PERCENT = "percent"


class Order:
    """What one tap moves: `moves` [(purse, amount)], and the price, discount and co-payment in cents."""

    def __init__(self, offer, moves, price=0, discount=0, copayment=0):
        self.offer = offer
        self.moves = moves
        self.price = price
        self.discount = discount
        self.copayment = copayment

    def fields(self):
        """The fields of its record."""
        purse2, amount2 = self.moves[1] if len(self.moves) == 2 else (NO_PURSE, 0)
        return {
            "offer": self.offer["n"],
            "purse1": self.moves[0][0],
            "amount1": self.moves[0][1],
            "purse2": purse2,
            "amount2": amount2,
            "price": self.price,
            "discount": self.discount,
            "copayment": self.copayment,
        }

    def same_as(self, record):
        """Whether a record is of this very order."""
        return (record.offer, record.debits(), record.price) == (self.offer["n"], self.moves, self.price)


def needs_price(offer):
    return offer["price"] != FIXED


def order(offer, price=0):
    """The Order for an offer of the bundle at a typed price in cents (0 for a fixed offer)."""
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
