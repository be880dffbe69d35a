"""ESP32-S3-DevKitC-1. GPIO 0, 3, 45 and 46 decide how it starts, 19 and 20 are USB, 26 to 37 memory."""

BOARD = {
    "name": "ESP32-S3-DevKitC-1",
    "buses": {
        "spi": {"id": 2, "baudrate": 5000000, "sck": 12, "mosi": 11, "miso": 13},
        "i2c": {"id": 0, "freq": 400000, "sda": 8, "scl": 9},
    },
    "reader": {"bus": "spi", "select": 10, "irq": 14, "reset": 21},
    "display": {"bus": "i2c", "kind": "ssd1309", "address": 0x3C},
    "keypad": {"rows": (4, 5, 6, 7), "columns": (15, 16, 17, 18)},
    "buzzer": 2,
    "light": 1,
    "clock": "i2c",
    "timer": 0,
    "watchdog_ms": 8000,
    "journal": {"books": 4, "blocks": 64, "partition": "journal"},
    # Without a radio its random numbers are not random (ESP32-S3 reference manual, Random Number Generator).
    "radio_for_random": True,
}
