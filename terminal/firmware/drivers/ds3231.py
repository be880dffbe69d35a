"""A battery clock, DS3231 (data sheet 19-5170), of which only the date is used."""

_ADDRESS = 0x68
_TIME = 0x00
_STATUS = 0x0F
_STOOD_STILL = 0x80
_CENTURY = 0x80
_FIRST_YEAR, _LAST_YEAR = 2025, 2099
_DAY_ZERO_YEAR = 2020
_MONTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_NOON = b"\x00\x00\x12"


class Ds3231:
    """`i2c` a machine.I2C. Days are counted from 1 January 2020, which is 0."""

    def __init__(self, i2c):
        self._i2c = i2c

    def today(self):
        """The day, or None when the clock is not there, stood still, or says no day that can be."""
        try:
            if self._i2c.readfrom_mem(_ADDRESS, _STATUS, 1)[0] & _STOOD_STILL:
                return None
            time = self._i2c.readfrom_mem(_ADDRESS, _TIME, 7)
        except OSError:
            return None
        day, month, year = _decimal(time[4]), _decimal(time[5] & ~_CENTURY), _decimal(time[6])
        if day is None or month is None or year is None or time[5] & _CENTURY:
            return None
        year += 2000
        if not _FIRST_YEAR <= year <= _LAST_YEAR or not 1 <= month <= 12 or not 1 <= day <= _month(year, month):
            return None
        return _days_before(year) + sum(_month(year, before) for before in range(1, month)) + day - 1

    def set_today(self, day):
        """Set the date; the time of day goes on, or is noon when the clock stood still."""
        known = self.today()
        if known == day:
            return
        year, month, day = date_of(day)
        date = bytes((1, _bcd(day), _bcd(month), _bcd(year % 100)))
        try:
            if known is None:
                self._i2c.writeto_mem(_ADDRESS, _TIME, _NOON + date)
            else:
                self._i2c.writeto_mem(_ADDRESS, _TIME + 3, date)
            status = self._i2c.readfrom_mem(_ADDRESS, _STATUS, 1)[0]
            self._i2c.writeto_mem(_ADDRESS, _STATUS, bytes((status & ~_STOOD_STILL & 0xFF,)))
        except OSError:
            # A clock that cannot be set is a clock that says None.
            pass


def date_of(day):
    """`(year, month, day of the month)`."""
    year = _DAY_ZERO_YEAR
    while _days_before(year + 1) <= day:
        year += 1
    day -= _days_before(year)
    month = 1
    while day >= _month(year, month):
        day -= _month(year, month)
        month += 1
    return year, month, day + 1


def _month(year, month):
    return 29 if month == 2 and not year % 4 else _MONTHS[month - 1]


def _days_before(year):
    years = year - _DAY_ZERO_YEAR
    return 365 * years + (years + 3) // 4


def _decimal(bcd):
    return None if bcd & 0x0F > 9 or bcd >> 4 > 9 else (bcd >> 4) * 10 + (bcd & 0x0F)


def _bcd(number):
    return number // 10 << 4 | number % 10
