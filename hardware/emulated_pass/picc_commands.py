"""Commands about the chip and its applications."""

from hardware.emulated_pass.command import Call
from hardware.emulated_pass.crypto import KEY_LENGTH
from hardware.emulated_pass.memory_size import APPLICATION_LIMIT_EV1, application_size, reserve
from hardware.emulated_pass.messaging import Answer
from hardware.emulated_pass.model import KIND_OF_BITS, Application, Key
from hardware.emulated_pass.powered import MAY_CREATE, MAY_LIST, PICC_LEVEL, Powered
from hardware.emulated_pass.status import (
    APPLICATION_NOT_FOUND,
    AUTHENTICATION_ERROR,
    COUNT_ERROR,
    DUPLICATE_ERROR,
    LENGTH_ERROR,
    PARAMETER_ERROR,
    PERMISSION_DENIED,
    Refused,
    require,
)

# GetVersion: vendor NXP, type, subtype, major, minor, storage size, protocol; hardware and then software.
VERSIONS = {
    "EV1": (bytes.fromhex("0401010100"), bytes.fromhex("0401010104")),
    "EV2": (bytes.fromhex("0401011200"), bytes.fromhex("0401010201")),
    "EV3": (bytes.fromhex("0401013300"), bytes.fromhex("0401010300")),
}
SIZES = {2048: 0x16, 4096: 0x18, 8192: 0x1A}
PROTOCOL = 0x05
# Batch number (5 bytes), calendar week and year of production in BCD: an invented lot.
PRODUCTION = bytes.fromhex("4D4545444F" + "0126")

MAX_KEYS = 14
ISO_FILES = 0x20
EXTENDED_SETTINGS = 0x10


def get_version(card: Powered, call: Call) -> Answer:
    hardware, software = VERSIONS[card.picc.generation]
    uid = bytes(7) if card.picc.random_id else card.picc.uid
    end = bytes([SIZES[card.picc.capacity], PROTOCOL])
    return Answer(hardware + end + software + end + uid + PRODUCTION, frames=(7, 7, 14))


def get_card_uid(card: Powered, call: Call) -> Answer:
    """The real UID, to anyone authenticated with any key; encrypted."""
    require(card.session is not None, AUTHENTICATION_ERROR)
    return Answer(card.picc.uid)


def free_memory(card: Powered, call: Call) -> Answer:
    return Answer((card.picc.capacity - card.picc.memory_used).to_bytes(3, "little"))


def format_picc(card: Powered, call: Call) -> Answer:
    """Delete every application and give their memory back. The master key and the settings stay."""
    card.require_picc_level()
    card.require_master_key()
    require(not card.picc.format_disabled, PERMISSION_DENIED)
    card.abort_transaction()
    with card.memory.writing() as picc:
        picc.applications = {}
        picc.memory_used = 0
    return Answer()


def select_application(card: Powered, call: Call) -> Answer:
    card.select(call.parameters)
    return Answer()


def get_application_ids(card: Powered, call: Call) -> Answer:
    card.require_picc_level()
    card.require_setting(MAY_LIST)
    aids = list(card.picc.applications)
    # Nineteen AIDs fill a frame of the first cards; all later ones keep to that.
    return Answer(b"".join(aids), frames=tuple(3 * len(aids[start : start + 19]) for start in range(0, len(aids), 19)))


def get_df_names(card: Powered, call: Call) -> Answer:
    """One frame for each application that has an ISO name: AID, file identifier, DF name."""
    card.require_picc_level()
    card.require_setting(MAY_LIST)
    named = [each for each in card.picc.applications.values() if each.fid is not None]
    entries = [each.aid + (each.fid or b"") + each.df_name for each in named]
    return Answer(b"".join(entries), frames=tuple(len(entry) for entry in entries))


def create_application(card: Powered, call: Call) -> Answer:
    card.require_picc_level()
    card.require_setting(MAY_CREATE)
    application = _described(card, call.parameters)
    taken = card.picc.applications
    require(application.aid != PICC_LEVEL, PARAMETER_ERROR)
    require(application.aid not in taken, DUPLICATE_ERROR)
    for other in taken.values():
        require(application.fid is None or application.fid != other.fid, DUPLICATE_ERROR)
        require(not application.df_name or application.df_name != other.df_name, DUPLICATE_ERROR)
    require(card.picc.generation != "EV1" or len(taken) < APPLICATION_LIMIT_EV1, COUNT_ERROR)
    with card.memory.writing() as picc:
        reserve(picc, application_size(application))
        picc.applications[application.aid] = application
    return Answer()


def _described(card: Powered, parameters: bytes) -> Application:
    aid, settings, more, names = parameters[0:3], parameters[3], parameters[4], parameters[5:]
    # Key sets (key settings 3) are not imitated.
    require(not more & EXTENDED_SETTINGS, PARAMETER_ERROR)
    kind, count = KIND_OF_BITS.get(more & 0xC0), more & 0x0F
    if kind is None or count > MAX_KEYS:
        raise Refused(PARAMETER_ERROR)
    require(len(names) != 1, LENGTH_ERROR)
    default = card.picc.default_key
    keys = [Key(kind, default.value[: KEY_LENGTH[kind]], default.version) for _ in range(count)]
    fid, df_name = (names[:2], names[2:]) if names else (None, b"")
    return Application(aid, settings, kind, keys, bool(more & ISO_FILES), fid, df_name)


def delete_application(card: Powered, call: Call) -> Answer:
    """From PICC level with the PICC master key; or from within, with its own, where the PICC lets applications come
    and go freely. The memory is not given back."""
    aid = call.parameters
    require(aid in card.picc.applications, APPLICATION_NOT_FOUND)
    card.require_master_key()
    if not card.at_picc_level:
        require(card.selected == aid and bool(card.picc.settings & MAY_CREATE), PERMISSION_DENIED)
    with card.memory.writing() as picc:
        del picc.applications[aid]
    if card.selected == aid:
        card.select(PICC_LEVEL)
    return Answer()


def set_configuration(card: Powered, call: Call) -> Answer:
    """Options 00 (flags, write-once), 01 (default application key), 02 (ATS) and 05 (capabilities); others 9E."""
    card.require_picc_level()
    card.require_master_key()
    option, data = call.parameters[0], call.parameters[1:]
    require(option in CONFIGURATION, PARAMETER_ERROR)
    CONFIGURATION[option](card, data)
    return Answer()


def _flags(card: Powered, data: bytes) -> None:
    require(len(data) == 1, LENGTH_ERROR)
    # Bits 2 and 3 make proximity checks and virtual-card authentication mandatory, which this pass does not know.
    require(data[0] & 0xFC == 0, PARAMETER_ERROR)
    with card.memory.writing() as picc:
        picc.format_disabled |= bool(data[0] & 1)
        picc.random_id |= bool(data[0] & 2)


def _default_key(card: Powered, data: bytes) -> None:
    require(len(data) == 25, LENGTH_ERROR)
    with card.memory.writing() as picc:
        picc.default_key = Key(picc.default_key.kind, data[:24], data[24])


def _ats(card: Powered, data: bytes) -> None:
    require(2 <= len(data) <= 20, LENGTH_ERROR)
    require(data[0] == len(data), PARAMETER_ERROR)
    with card.memory.writing() as picc:
        picc.ats = data


def _capabilities(card: Powered, data: bytes) -> None:
    """Ten bytes, of which byte 4 would switch to LRP messaging; only the two free bytes at the end are kept."""
    require(len(data) == 10, LENGTH_ERROR)
    require(not any(data[:8]), PARAMETER_ERROR)
    with card.memory.writing() as picc:
        picc.capabilities = bytes(4) + data[8:]


CONFIGURATION = {0x00: _flags, 0x01: _default_key, 0x02: _ats, 0x05: _capabilities}
