"""Time in milliseconds, counted as MicroPython counts it: differences only, and only by `ticks_diff`."""

try:
    from time import sleep_ms, ticks_diff, ticks_ms  # type: ignore[attr-defined]
except ImportError:
    import time

    def ticks_ms():
        return time.monotonic_ns() // 1000000

    def ticks_diff(later, earlier):
        return later - earlier

    def sleep_ms(count):
        time.sleep(count / 1000)


def left_of(timeout_ms, began):
    """Milliseconds that are left of `timeout_ms` since `ticks_ms()` said `began`; 0 when it is over."""
    return max(0, timeout_ms - ticks_diff(ticks_ms(), began))
