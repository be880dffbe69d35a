"""What a city does in a few months: everything that books can hold, paid out in part."""

from datetime import date


def busy(world):
    """Loads, taps, a reversal, a doubt, a pass that did not pay, a discount, refusals, and a settlement of it."""
    world.desk.load(world.holder)
    world.desk.load(world.sibling, grant=9, amount=20000)
    world.desk.load(world.stranger, grant=3, purse=3, amount=200)
    for guest in (world.holder, world.sibling, world.stranger):
        world.pool.tap(guest)
    world.pool.reverse(world.stranger)
    world.pool.void()
    world.pool.commit(world.pool.doubt(world.sibling), world.sibling)
    world.pool.tap(world.stranger, offer=13, purse=4, amount=1, price=3000, discount=1000, copayment=2000)
    world.pool.tap(world.holder, offer=99)
    world.shop.tap(world.holder, offer=21, amount=1250, price=1250)
    world.shop.tap(world.sibling, offer=21, purse=2, amount=300, price=300)
    world.shop.doubt(world.holder)
    world.sync()
    settlements = world.clearing.settlements
    settlements.approve(settlements.prepare(date(2026, 11, 30), "Anna").number, "Bram")
    for terminal in (world.desk, world.pool, world.shop):
        terminal.day = date(2027, 1, 4)
    world.desk.load(world.holder, amount=16000)
    world.pool.tap(world.stranger, offer=15, purse=3, amount=20, purse2=4, amount2=1)
    world.shop.tap(world.sibling, offer=21, amount=999, price=999)
    world.sync()
    return world
