"""The limits of a tap, kept: what `make bench` only reports."""

from tests.bench import tap_model


def test_a_tap_over_spi_keeps_to_the_floor_and_to_what_people_wait_for():
    made = tap_model.modelled()
    assert made["modelled_ms_spi_106"] <= 110
    assert made["ratio_to_floor"] <= 1.15
    assert made["modelled_ms_spi_424"] < made["modelled_ms_hsu_921600_424"] < made["modelled_ms_i2c_424"]
    for bus in ("spi", "hsu", "hsu_921600", "i2c"):
        assert 15 < made[f"modelled_ms_{bus}_106"] - made[f"modelled_ms_{bus}_424"] < 40
