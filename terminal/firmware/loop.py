"""The loop of a board: guests, the host's questions, and the Wi-Fi when nobody is there, until a restart is due."""

from terminal.firmware import link
from terminal.firmware.slots import came_up

_IDLE_MS = 5
_AT_ONCE = 64
# So many turns of silence end a question that was cut off with the cable: what comes after it is another one.
_SILENT_TURNS = 40
_TOO_LONG = b"there is not memory enough for this now"


def online_on(device, board):
    """What syncs over Wi-Fi, or None; its code is loaded only where the settings for it are on the flash."""
    if device.flash.size("online.json") is None:
        return None
    from terminal.firmware.online import online_of

    return online_of(device, board)


def run(device, line, online=None):
    """`line.write(data)`; `line.read(count, timeout_ms)` gives `count` bytes, or fewer when the line is silent.

    `online` is None for a board without Wi-Fi. New firmware is kept once everything has come up.
    """
    frames, silent, slots = link.Frames(), 0, device.slots
    while slots is None or not slots.restart:
        if slots is not None and slots.on_trial and came_up(device):
            slots.came_up()
        device.turn()
        if online is not None:
            online.turn(device)
        data = line.read(1, _IDLE_MS)
        silent = 0 if data else silent + 1
        if silent == _SILENT_TURNS:
            frames = link.Frames()
        while data:
            try:
                question = frames.feed(data)
            except MemoryError:
                # Longer than there is room for now; what is left of it is passed over as noise.
                question, frames = None, link.Frames()
                line.write(link.frame(link.REFUSED, link.WHOLE_DEVICE, _TOO_LONG))
            if question:
                answered, content = device.answer(*question)
                line.write(link.frame(answered, question[1], content))
                # Not held while the next one comes: a small heap has room for one.
                question = content = None
            data = line.read(_AT_ONCE, 0)
