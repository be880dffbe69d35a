"""What is done byte by byte: where the interpreter of MicroPython would be slow, and leave its heap full.

There it is compiled to the code of the processor ("viper"), by the board itself. That code does not know where its
buffers end, so each function looks first.
"""

try:
    import micropython

    @micropython.viper
    def xor_into(target, other):
        """Exclusive or of two blocks, left in the first."""
        to, by = ptr8(target), ptr8(other)
        for at in range(16):
            to[at] = to[at] ^ by[at]

    @micropython.viper
    def double_in_place(block):
        """Multiply by x in GF(2^128) (RFC 4493 section 2.3)."""
        to = ptr8(block)
        carry = to[0] >> 7
        for at in range(15):
            to[at] = to[at] << 1 | to[at + 1] >> 7
        to[15] = to[15] << 1 ^ carry * 0x87

    @micropython.viper
    def put_number(buffer, at: int, number: int, size: int):
        """Put a number of at most 4 bytes into `buffer` from `at` on, little-endian; what does not fit is cut off."""
        to = ptr8(buffer)
        for place in range(at, at + size):
            to[place] = number
            number >>= 8

    @micropython.viper
    def same(left, right) -> bool:
        """Whether two strings are equal, without telling by time where they differ."""
        size = int(len(left))
        if size != int(len(right)):
            return False
        one, other = ptr8(left), ptr8(right)
        difference = 0
        for at in range(size):
            difference |= one[at] ^ other[at]
        return difference == 0

    @micropython.viper
    def odd_bytes(mac, short):
        """Put the 8 odd-numbered bytes of a MAC into `short`."""
        whole, to = ptr8(mac), ptr8(short)
        for at in range(8):
            to[at] = whole[2 * at + 1]

except ImportError:
    from hmac import compare_digest

    def xor_into(target, other):
        """Exclusive or of two blocks, left in the first."""
        number = int.from_bytes(target, "big") ^ int.from_bytes(other, "big")
        target[:] = number.to_bytes(16, "big")

    def double_in_place(block):
        """Multiply by x in GF(2^128) (RFC 4493 section 2.3)."""
        number = int.from_bytes(block, "big") << 1
        if number >> 128:
            number ^= 1 << 128 | 0x87
        block[:] = number.to_bytes(16, "big")

    def put_number(buffer, at, number, size):
        """Put a number of at most 4 bytes into `buffer` from `at` on, little-endian; what does not fit is cut off."""
        buffer[at : at + size] = number.to_bytes(size, "little")

    def same(left, right) -> bool:
        """Whether two strings are equal, without telling by time where they differ."""
        return compare_digest(left, right)

    def odd_bytes(mac, short):
        """Put the 8 odd-numbered bytes of a MAC into `short`."""
        for at in range(8):
            short[at] = mac[2 * at + 1]
