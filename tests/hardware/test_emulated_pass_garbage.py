"""Whatever comes in, the pass answers with a status and keeps its memory. The seed is in every failure message."""

import random

import pytest

from hardware.emulated_pass import inspect
from hardware.emulated_pass.table import BY_INS
from tests.hardware.a_pass import BOTH, MASTER, a_world, with_transaction_mac

# Would end the session, or the application under test.
ENDING = (0x0A, 0x1A, 0xAA, 0x71, 0x77, 0xC4, 0xFC, 0xDA)
KNOWN = [*BY_INS, 0xAF, 0xAF]


def frame(chance: random.Random) -> bytes:
    body = chance.randbytes(chance.choice((0, 1, 2, 3, 4, 5, 7, 8, 16, 17, 22, 32, 33, 60, 61, 62, 250)))
    if chance.random() < 0.5 and body:
        body = bytes([chance.randrange(16)]) + body[1:]
    ins = chance.choice(KNOWN) if chance.random() < 0.9 else chance.randrange(256)
    match chance.randrange(5):
        case 0:
            return bytes([ins]) + body
        case 1:
            return chance.randbytes(chance.randrange(8))
        case 2:
            return b"\x00" + bytes([0xA4, chance.choice((0, 2, 4)), 0, len(body)]) + body
        case _:
            return bytes([0x90, ins, 0, 0, len(body)]) + body + b"\x00"


@pytest.mark.parametrize("seed", range(20))
def test_garbage_gets_a_status(seed: int) -> None:
    chance = random.Random(seed)
    world = with_transaction_mac(a_world(chance.choice(("EV2", "EV3"))))
    for step in range(400):
        if step % 10 == 0:
            world.leave_and_return()
            world.enter(chance.choice((None, BOTH)))
        command = frame(chance)
        answer = world.card.exchange(command)
        assert answer, (seed, command.hex())


@pytest.mark.parametrize("seed", range(20))
def test_well_formed_commands_with_random_parameters_get_a_status(seed: int) -> None:
    """In a session and with a right MAC, so that the handlers themselves are reached."""
    chance = random.Random(seed)
    world = with_transaction_mac(a_world())
    shapes = [
        command for command in BY_INS.values() if command.ins not in (0x0A, 0x1A, 0xAA, 0x71, 0x77, 0xC4, 0xFC, 0xDA)
    ]
    for _ in range(150):
        reader = world.enter(chance.choice((MASTER, BOTH)))
        for _ in range(3):
            command = chance.choice(shapes)
            length = chance.choice(command.lengths[:40])
            parameters = bytes([chance.randrange(16)] + [chance.choice((0, 0, 1, 2, 255)) for _ in range(length)])[
                :length
            ]
            mode = chance.choice(("plain", "mac", "full"))
            header, data = parameters[: command.clear], parameters[command.clear :]
            status, _ = reader.send(command.ins, reader.sealed(command.ins, header, data, mode))
            if status:
                break
    # And what it has come to is still a pass.
    world.leave_and_return()
    assert world.reader.send(0x60)[0] == 0x00
    for application in inspect(world.memory)["applications"].values():
        for file in application["files"].values():
            assert file["type"] != "value" or file["lower"] <= file["value"] <= file["upper"]
