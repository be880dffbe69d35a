"""A stretch of the flash chip without files, for a journal."""

_ERASE = 6
# The RP2 programs whole pages only; what stands at FF in a page stays as it was.
_PAGE = 256
_BLANK = b"\xff" * _PAGE


class RawFlash:
    """`device` a rp2.Flash or esp32.Partition; blocks `first` to `first + blocks`.

    Written bytes only go from FF, until their block is erased. Writing and erasing raise OSError when the flash does
    not hold what it was given.
    """

    block_bytes = 4096

    def __init__(self, device, first, blocks):
        self.blocks = blocks
        self._device = device
        self._first = first
        self._page = bytearray(_PAGE)

    def read_into(self, at, buffer):
        """Fill the buffer with the bytes from `at` on."""
        self._device.readblocks(self._first + at // self.block_bytes, buffer, at % self.block_bytes)

    def write(self, at, data):
        """Write to bytes that were erased; on the flash when this returns."""
        data = memoryview(data)
        page = self._page
        while len(data):
            begin = at % _PAGE
            count = min(_PAGE - begin, len(data))
            page[:] = _BLANK
            page[begin : begin + count] = data[:count]
            start = at - begin
            self._device.writeblocks(self._first + start // self.block_bytes, page, start % self.block_bytes)
            self.read_into(start, page)
            if memoryview(page)[begin : begin + count] != data[:count]:
                raise OSError("the flash does not hold what was written")
            at += count
            data = data[count:]

    def erase(self, block):
        self._device.ioctl(_ERASE, self._first + block)
        for start in range(block * self.block_bytes, (block + 1) * self.block_bytes, _PAGE):
            self.read_into(start, self._page)
            if self._page != _BLANK:
                raise OSError("the flash is not erased")
