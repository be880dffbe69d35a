"""The memory of a pass as JSON: the form in which it lies on disk, readable by eye, one field per field of `model`.

Bytes are hexadecimal. `to_json(from_json(x)) == x`, and a broken text raises ValueError.
"""

import json
from typing import Any

from hardware.emulated_pass.model import (
    Application,
    DataFile,
    File,
    Key,
    Mode,
    Picc,
    RecordFile,
    Rights,
    TransactionMacFile,
    ValueFile,
)

FORMAT = "emulated pass 1"
Plain = dict[str, Any]


def to_json(picc: Picc) -> bytes:
    return json.dumps({"format": FORMAT, **_picc(picc)}, separators=(",", ":")).encode()


def from_json(text: bytes) -> Picc:
    try:
        plain = json.loads(text)
        if plain["format"] == FORMAT:
            return _read_picc(plain)
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise ValueError("not the memory of an emulated pass") from error
    raise ValueError("the memory of an emulated pass, but of another format")


def _picc(picc: Picc) -> Plain:
    return {
        "uid": picc.uid.hex(),
        "generation": picc.generation,
        "key": _key(picc.key),
        "settings": picc.settings,
        "format_disabled": picc.format_disabled,
        "random_id": picc.random_id,
        "default_key": _key(picc.default_key),
        "ats": picc.ats.hex(),
        "capabilities": picc.capabilities.hex(),
        "capacity": picc.capacity,
        "memory_used": picc.memory_used,
        "applications": [_application(application) for application in picc.applications.values()],
    }


def _read_picc(plain: Plain) -> Picc:
    applications = [_read_application(each) for each in plain["applications"]]
    return Picc(
        uid=bytes.fromhex(plain["uid"]),
        generation=plain["generation"],
        key=_read_key(plain["key"]),
        settings=plain["settings"],
        format_disabled=plain["format_disabled"],
        random_id=plain["random_id"],
        default_key=_read_key(plain["default_key"]),
        ats=bytes.fromhex(plain["ats"]),
        capabilities=bytes.fromhex(plain["capabilities"]),
        # Passes from before there were small ones do not say it.
        capacity=plain.get("capacity", 8192),
        memory_used=plain["memory_used"],
        applications={application.aid: application for application in applications},
    )


def _key(key: Key) -> Plain:
    return {"kind": key.kind, "value": key.value.hex(), "version": key.version}


def _read_key(plain: Plain) -> Key:
    return Key(plain["kind"], bytes.fromhex(plain["value"]), plain["version"])


def _application(application: Application) -> Plain:
    return {
        "aid": application.aid.hex(),
        "settings": application.settings,
        "kind": application.kind,
        "keys": [_key(key) for key in application.keys],
        "iso_files": application.iso_files,
        "fid": None if application.fid is None else application.fid.hex(),
        "df_name": application.df_name.hex(),
        "files": [{"no": number, **_file(file)} for number, file in application.files.items()],
    }


def _read_application(plain: Plain) -> Application:
    return Application(
        aid=bytes.fromhex(plain["aid"]),
        settings=plain["settings"],
        kind=plain["kind"],
        keys=[_read_key(key) for key in plain["keys"]],
        iso_files=plain["iso_files"],
        fid=None if plain["fid"] is None else bytes.fromhex(plain["fid"]),
        df_name=bytes.fromhex(plain["df_name"]),
        files={file["no"]: _read_file(file) for file in plain["files"]},
    )


def _file(file: File) -> Plain:
    plain: Plain = {
        "mode": int(file.mode),
        "rights": file.rights.to_bytes().hex(),
        "fid": None if file.fid is None else file.fid.hex(),
    }
    match file:
        case DataFile():
            plain |= {"type": "data", "backup": file.backup, "data": file.data.hex()}
        case ValueFile():
            plain |= {
                "type": "value",
                "lower": file.lower,
                "upper": file.upper,
                "value": file.value,
                "limited_enabled": file.limited_enabled,
                "free_get_value": file.free_get_value,
                "limited_credit": file.limited_credit,
            }
        case RecordFile():
            plain |= {
                "type": "record",
                "cyclic": file.cyclic,
                "record_size": file.record_size,
                "maximum": file.maximum,
                "records": [record.hex() for record in file.records],
            }
        case TransactionMacFile():
            plain |= {
                "type": "transaction_mac",
                "key": _key(file.key),
                "counter": file.counter,
                "mac": file.mac.hex(),
                "previous_reader": file.previous_reader.hex(),
                "limit": file.limit,
            }
    return plain


def _read_file(plain: Plain) -> File:
    mode = Mode(plain["mode"])
    rights = Rights.from_bytes(bytes.fromhex(plain["rights"]))
    fid = None if plain["fid"] is None else bytes.fromhex(plain["fid"])
    match plain["type"]:
        case "data":
            return DataFile(mode, rights, fid, plain["backup"], bytes.fromhex(plain["data"]))
        case "value":
            amounts = plain["lower"], plain["upper"], plain["value"]
            flags = plain["limited_enabled"], plain["free_get_value"]
            return ValueFile(mode, rights, fid, *amounts, *flags, plain["limited_credit"])
        case "record":
            records = [bytes.fromhex(record) for record in plain["records"]]
            return RecordFile(mode, rights, fid, plain["cyclic"], plain["record_size"], plain["maximum"], records)
        case "transaction_mac":
            last = plain["counter"], bytes.fromhex(plain["mac"]), bytes.fromhex(plain["previous_reader"])
            return TransactionMacFile(mode, rights, fid, _read_key(plain["key"]), *last, plain["limit"])
        case _:
            raise ValueError("unknown kind of file")
