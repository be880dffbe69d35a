"""The flash of an ESP32, in partitions (terminal/frozen/partitions.csv)."""

import esp32


def device(journal):
    """`(partition, first block of the journals)`; `journal` of the dict of a board."""
    found = esp32.Partition.find(esp32.Partition.TYPE_DATA, label=journal["partition"])
    if not found:
        raise OSError("the flash has no partition %s; write the partition table first" % journal["partition"])
    return found[0], 0
