"""A buzzer without electronics of its own: melodies play on while the terminal works."""

_HALF = 32768


class Buzzer:
    """`pwm` a machine.PWM, `timer` a machine.Timer; `once` is Timer.ONE_SHOT."""

    def __init__(self, pwm, timer, once):
        self._pwm = pwm
        self._timer = timer
        self._once = once
        self._tones = []
        pwm.duty_u16(0)

    def play(self, tones):
        """`tones`: (Hz, milliseconds) one after the other, 0 Hz for silence. What still played ends."""
        self._timer.deinit()
        self._tones = list(tones)
        self._next()

    def _next(self, timer=None):
        if not self._tones:
            self._pwm.duty_u16(0)
            return
        hz, length_ms = self._tones.pop(0)
        if hz:
            self._pwm.freq(hz)
        self._pwm.duty_u16(_HALF if hz else 0)
        self._timer.init(mode=self._once, period=length_ms, callback=self._next)
