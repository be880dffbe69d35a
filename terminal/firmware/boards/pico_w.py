"""Raspberry Pi Pico W. Its radio has GPIO 23, 24, 25 and 29."""

BOARD = {
    "name": "Raspberry Pi Pico W",
    "buses": {
        "spi": {"id": 0, "baudrate": 5000000, "sck": 18, "mosi": 19, "miso": 16},
        "i2c": {"id": 0, "freq": 400000, "sda": 4, "scl": 5},
    },
    "reader": {"bus": "spi", "select": 17, "irq": 20, "reset": 21},
    "display": {"bus": "i2c", "kind": "ssd1309", "address": 0x3C},
    "keypad": {"rows": (6, 7, 8, 9), "columns": (10, 11, 12, 13)},
    "buzzer": 14,
    "light": 15,
    "clock": "i2c",
    "timer": -1,
    "watchdog_ms": 8000,
    "journal": {"books": 2, "blocks": 64},
}
