"""Looking into the memory of a pass from outside: for tests, and for an independent audit of the money on cards."""

import os
from pathlib import Path
from typing import Any

from hardware.emulated_pass.memory import Memory
from hardware.emulated_pass.model import (
    Application,
    DataFile,
    File,
    Key,
    Picc,
    RecordFile,
    TransactionMacFile,
    ValueFile,
)
from hardware.emulated_pass.stored import from_json


def inspect(source: "str | os.PathLike[str] | Memory") -> dict[str, Any]:
    """What is in memory, committed, as a plain dict. Bytes are bytes, AIDs are hex as on the wire.

    {"uid", "generation", "random_id", "format_disabled", "key_settings", "key": (kind, version, bytes), "memory_used",
    "applications": {aid_hex: {"df_name", "fid", "key_settings", "key_kind", "keys": [(version, bytes), ...],
    "files": {number: {"type", "comm_mode", "rights": 4 hex digits as on the wire, "fid", ...}}}}}
    and by type of file: "standard" and "backup" have "data"; "value" has "value", "lower", "upper",
    "limited_credit", "limited_enabled", "free_get_value"; "linear" and "cyclic" have "record_size", "maximum",
    "records" (oldest first); "transaction_mac" has "tmc", "tmv", "tmri_prev", "key": (version, bytes), "limit".
    """
    picc = source.picc if isinstance(source, Memory) else from_json(Path(source).read_bytes())
    return _picc(picc)


def _picc(picc: Picc) -> dict[str, Any]:
    return {
        "uid": picc.uid,
        "generation": picc.generation,
        "random_id": picc.random_id,
        "format_disabled": picc.format_disabled,
        "key_settings": picc.settings,
        "key": (picc.key.kind, *_key(picc.key)),
        "memory_used": picc.memory_used,
        "applications": {aid.hex().upper(): _application(each) for aid, each in picc.applications.items()},
    }


def _key(key: Key) -> tuple[int, bytes]:
    return key.version, key.value


def _application(application: Application) -> dict[str, Any]:
    return {
        "df_name": application.df_name,
        "fid": application.fid,
        "key_settings": application.settings,
        "key_kind": application.kind,
        "keys": [_key(key) for key in application.keys],
        "files": {number: _file(file) for number, file in application.files.items()},
    }


def _file(file: File) -> dict[str, Any]:
    common = {"comm_mode": file.mode.name.lower(), "rights": file.rights.to_bytes().hex().upper(), "fid": file.fid}
    match file:
        case DataFile():
            return {"type": "backup" if file.backup else "standard", **common, "data": file.data}
        case ValueFile():
            return {
                "type": "value",
                **common,
                "value": file.value,
                "lower": file.lower,
                "upper": file.upper,
                "limited_credit": file.limited_credit,
                "limited_enabled": file.limited_enabled,
                "free_get_value": file.free_get_value,
            }
        case RecordFile():
            return {
                "type": "cyclic" if file.cyclic else "linear",
                **common,
                "record_size": file.record_size,
                "maximum": file.maximum,
                "records": list(file.records),
            }
        case TransactionMacFile():
            return {
                "type": "transaction_mac",
                **common,
                "tmc": file.counter,
                "tmv": file.mac,
                "tmri_prev": file.previous_reader,
                "key": _key(file.key),
                "limit": file.limit,
            }
    raise AssertionError("a kind of file that cannot be looked into")
