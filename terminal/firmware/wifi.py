"""The radio of a board: on for a sync, off otherwise. Nobody waits while it joins: it is asked turn after turn.

What a station says is in MicroPython's library, class network.WLAN. On an RP2 a join that failed stays failed, while an
ESP32 tries on by itself, and may say in between that there is no network: so only time ends a join.
"""

from terminal.firmware.errors import BackendUnreachable

LONGEST_JOIN_S = 30


class Wifi:
    """`network` is MicroPython's module, `wlan` its station. With `stays_on` the radio is never switched off."""

    def __init__(self, network, wlan, settings, seconds_on, stays_on):
        self._network = network
        self._wlan = wlan
        self._settings = settings
        self._seconds_on = seconds_on
        self._stays_on = stays_on
        self._began = None

    def joined(self):
        """Whether the network is there; begins to join it. Raises BackendUnreachable when it takes too long."""
        try:
            if self._began is None:
                self._began = self._seconds_on()
                self._wlan.active(True)
                self._wlan.connect(self._settings["ssid"], self._settings.get("password"))
            elif self._wlan.isconnected():
                return True
        except OSError:
            raise BackendUnreachable("the radio does not work")
        if self._seconds_on() - self._began > LONGEST_JOIN_S:
            raise BackendUnreachable(self._why())
        return False

    def leave(self):
        """Off, or at least away from the network."""
        if self._began is None:
            return
        self._began = None
        try:
            self._wlan.disconnect()
            self._wlan.active(self._stays_on)
        except OSError:
            pass  # the next join says so

    def _why(self):
        status = self._wlan.status()
        if status == self._network.STAT_NO_AP_FOUND:
            return "the Wi-Fi network is not there"
        if status == self._network.STAT_WRONG_PASSWORD:
            return "the password of the Wi-Fi network is wrong"
        return "the Wi-Fi network does not answer"
