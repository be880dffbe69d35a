from collections.abc import Iterator

import pytest

from hardware.vpcd import PrivatePcscd


@pytest.fixture(scope="session")
def pcscd() -> Iterator[PrivatePcscd]:
    """The one pcscd that this process meets: libpcsclite looks for its socket once."""
    with PrivatePcscd() as private, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PCSCLITE_CSOCK_NAME", private.socket)
        yield private
