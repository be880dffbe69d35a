"""What a terminal asks a pass for, for every vector in a file; runs on both Pythons.

Usage: PYTHON offer_vectors.py offers.json   Prints one line for each vector.
"""

import json
import sys

from terminal.firmware import offers
from terminal.firmware.offers import Line


def main(path):
    with open(path) as file:
        content = json.load(file)
    by_name = {offer["name"]: offer for offer in content["offers"]}
    for vector in content["vectors"]:
        line = Line(vector["offer"])
        line.offers[1] = by_name[vector["offer"]]
        if line.needs_price and not offers.is_price(vector["price"]):
            print("%s: refused" % vector["name"])
            continue
        made = line.orders(vector["price"])[1]
        moves = " ".join(["%d:%d" % move for move in made.moves])
        print("%s: %s %d %d %d" % (vector["name"], moves, made.price, made.discount, made.copayment))


main(*sys.argv[1:])
