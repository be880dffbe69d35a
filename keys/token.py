"""The vault's keys in a PKCS#11 token (a smart card, a USB token, a network HSM): used there, and never given out.

Objects are labelled `meedoen/<municipality>/<purpose>/<version>`, so that several municipalities can share a token.
"""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from keys.errors import KeyMissing, KeyStoreError
from keys.hierarchy import PURPOSES, Kind
from keys.store import Name, refuse_held

# RFC 8410, section 3: the object identifier of Ed25519. RFC 8032: a public key is 32 bytes; PKCS#11 keeps it in DER.
_ED25519 = bytes.fromhex("06032b6570")
_OCTET_STRING_OF_32 = bytes.fromhex("0420")

# To a module a process is one user, however many stores it opens: the last one that closes signs off for all.
_open_stores: Counter[str] = Counter()


class Token:
    """A store in a token, for the process that opened it: a session does not survive a fork.

    A second store on the same token in one process gets in with any PIN, because the process is in already.
    """

    def __init__(self, module: str, label: str, pin: str, municipality: int) -> None:
        self._p11 = _pkcs11()
        self._label, self._municipality = label, municipality
        self._keys: dict[Name, Any] = {}
        self._public: dict[Name, Any] = {}
        try:
            # A path: one library under two names would be started twice.
            self._module = self._p11.lib(os.path.realpath(module))
        except self._p11.PKCS11Error:
            raise KeyStoreError(f"{module} does not start as a PKCS#11 module; check its path and settings.") from None
        _open_stores[self._module.so] += 1
        self._process: int | None = os.getpid()
        try:
            self._session = self._sign_on(pin)
            with self._answers():
                self._find()
        except BaseException:
            self.close()
            raise

    def names(self) -> set[Name]:
        self._check_open()
        return set(self._keys)

    def cmacs(self, name: Name, messages: bytes, size: int) -> bytes:
        if len(messages) % size:
            raise ValueError(f"the messages are not of {size} bytes each")
        sign, cmac = self._key(name, "mac").sign, self._p11.Mechanism.AES_CMAC
        starts = range(0, len(messages), size)
        with self._answers():
            return b"".join([sign(messages[at : at + size], mechanism=cmac) for at in starts])

    def encrypt(self, name: Name, blocks: bytes) -> bytes:
        key = self._key(name, "block")
        with self._answers():
            return bytes(key.encrypt(blocks, mechanism=self._p11.Mechanism.AES_ECB))

    def decrypt(self, name: Name, blocks: bytes) -> bytes:
        key = self._key(name, "block")
        with self._answers():
            return bytes(key.decrypt(blocks, mechanism=self._p11.Mechanism.AES_ECB))

    def sign(self, name: Name, message: bytes) -> bytes:
        key = self._key(name, "sign")
        with self._answers():
            return bytes(key.sign(message, mechanism=self._p11.Mechanism.EDDSA))

    def public_key(self, name: Name) -> bytes:
        self._key(name, "sign")
        with self._answers():
            return bytes(self._public[name][self._p11.Attribute.EC_POINT]).removeprefix(_OCTET_STRING_OF_32)

    def put(self, keys: dict[Name, bytes]) -> None:
        """All of them or none, unless the power goes: then remove what is there, and put again."""
        self._check_open()
        with self._answers():
            # Another process may have put keys in since this one looked.
            self._find()
            refuse_held(self, keys)
            made = []
            try:
                for name, key in keys.items():
                    for template in self._templates(name, key):
                        made.append(self._session.create_object(template))
            except BaseException:
                for one in made:
                    with suppress(self._p11.PKCS11Error):
                        one.destroy()
                raise
            self._find()

    def remove(self, names: Iterable[Name]) -> None:
        self._check_open()
        with self._answers():
            for name in self._keys.keys() & set(names):
                if name in self._public:
                    self._public.pop(name).destroy()
                self._keys.pop(name).destroy()

    def attributes(self, name: Name) -> dict[str, bool]:
        """What the token itself says of a key, as far as it tells: `sensitive`, `extractable`, and what it may do."""
        attribute = self._p11.Attribute
        asked = (
            *(attribute.TOKEN, attribute.PRIVATE, attribute.SENSITIVE, attribute.EXTRACTABLE, attribute.MODIFIABLE),
            *(attribute.ALWAYS_SENSITIVE, attribute.NEVER_EXTRACTABLE, attribute.COPYABLE, attribute.LOCAL),
            *(attribute.SIGN, attribute.SIGN_RECOVER, attribute.VERIFY, attribute.ENCRYPT, attribute.DECRYPT),
            *(attribute.WRAP, attribute.UNWRAP, attribute.DERIVE),
        )
        key = self._key(name)
        with self._answers():
            told = key.get_attributes(list(asked))
        return {which.name.lower(): told[which] for which in asked if which in told}

    def close(self) -> None:
        """Sign off; the store cannot be used afterwards."""
        opened_by, self._process = self._process, None
        # A child of the process that opened it has nothing of its own to close.
        if opened_by == os.getpid():
            _open_stores[self._module.so] -= 1
            if not _open_stores[self._module.so]:
                with self._answers():
                    self._module.finalize()

    def _sign_on(self, pin: str) -> Any:
        p11 = self._p11
        with self._answers():
            try:
                token = self._module.get_token(token_label=self._label)
                return token.open(rw=True, user_pin=pin)
            except p11.exceptions.UserAlreadyLoggedIn:
                return token.open(rw=True)
            except p11.exceptions.NoSuchToken:
                raise KeyStoreError(f"There is no token {self._label}: insert it, or check its label.") from None
            except p11.exceptions.MultipleTokensReturned:
                raise KeyStoreError(f"There are several tokens {self._label}: take out all but one.") from None
            except (p11.exceptions.PinIncorrect, p11.exceptions.PinInvalid, p11.exceptions.PinLenRange):
                raise KeyStoreError(
                    f"That is not the PIN of the token {self._label}; it may lock itself after a few more."
                ) from None

    def _find(self) -> None:
        """Private objects only: without the PIN nobody can have put those there."""
        attribute, public_class = self._p11.Attribute, self._p11.ObjectClass.PUBLIC_KEY
        keys: dict[Name, Any] = {}
        public: dict[Name, Any] = {}
        for found in list(self._session.get_objects({attribute.PRIVATE: True})):
            name = self._name(found)
            if not name:
                continue
            held = public if found[attribute.CLASS] == public_class else keys
            if name in held:
                raise KeyStoreError(f"The token {self._label} holds {self._object_label(name)} twice; remove one.")
            held[name] = found
        self._keys, self._public = keys, public

    def _name(self, found: Any) -> Name | None:
        """The name of a key of this municipality, and nothing for what others keep in the token."""
        try:
            label = found[self._p11.Attribute.LABEL]
        except UnicodeDecodeError:
            return None
        parts = re.fullmatch(rf"meedoen/{self._municipality}/([a-z_]+)/([1-9][0-9]*)", label)
        return (parts[1], int(parts[2])) if parts and parts[1] in PURPOSES else None

    def _object_label(self, name: Name) -> str:
        return f"meedoen/{self._municipality}/{name[0]}/{name[1]}"

    def _key(self, name: Name, kind: Kind | None = None) -> Any:
        self._check_open()
        if name not in self._keys:
            raise KeyMissing(*name)
        if kind and PURPOSES[name[0]].kind != kind:
            raise KeyStoreError(f"The token uses {name[0]} keys for nothing but: {PURPOSES[name[0]].use}.")
        return self._keys[name]

    def _templates(self, name: Name, key: bytes) -> list[dict[Any, Any]]:
        """The objects that a key becomes. What it may not do is written out: tokens differ in what they allow."""
        p11, attribute = self._p11, self._p11.Attribute
        kind = PURPOSES[name[0]].kind
        common = {
            attribute.TOKEN: True,
            attribute.PRIVATE: True,
            attribute.MODIFIABLE: False,
            attribute.LABEL: self._object_label(name),
        }
        secret = common | {
            attribute.SENSITIVE: True,
            attribute.EXTRACTABLE: False,
            attribute.COPYABLE: False,
            attribute.SIGN: kind != "block",
            attribute.DECRYPT: kind == "block",
            attribute.UNWRAP: False,
            attribute.DERIVE: False,
            attribute.VALUE: key,
        }
        if kind != "sign":
            return [
                secret
                | {
                    attribute.CLASS: p11.ObjectClass.SECRET_KEY,
                    attribute.KEY_TYPE: p11.KeyType.AES,
                    attribute.ENCRYPT: kind == "block",
                    attribute.VERIFY: False,
                    attribute.WRAP: False,
                }
            ]
        curve = {attribute.KEY_TYPE: p11.KeyType.EC_EDWARDS, attribute.EC_PARAMS: _ED25519}
        point = _OCTET_STRING_OF_32 + Ed25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw()
        return [
            secret | curve | {attribute.CLASS: p11.ObjectClass.PRIVATE_KEY, attribute.SIGN_RECOVER: False},
            common | curve | {attribute.CLASS: p11.ObjectClass.PUBLIC_KEY, attribute.EC_POINT: point},
        ]

    def _check_open(self) -> None:
        if self._process != os.getpid():
            raise KeyStoreError(f"The token {self._label} is not open in this process; open it here.")

    @contextmanager
    def _answers(self) -> Iterator[None]:
        try:
            yield
        except self._p11.PKCS11Error as error:
            reason = str(error) or type(error).__name__
            raise KeyStoreError(
                f"The token {self._label} refuses ({reason}); see that it is there, and start again."
            ) from None


def _pkcs11() -> Any:
    """The library, which only those with a token need."""
    try:
        import pkcs11
    except ImportError:
        raise KeyStoreError("For a token the `pkcs11` extra is needed: pip install 'meedoen[pkcs11]'.") from None
    return pkcs11
