"""What is signed of the lists that terminals get. Who makes lists every day has a key of their own for it, and a
certificate from the vault; both stand behind the list. Only bytes: the pass and the terminal know no Ed25519."""

from card.wire import exactly, read_uint, uint

# What a certificate is for.
HOTLIST = b"hotlist"
BUNDLE = b"bundle"

PUBLIC_KEY_BYTES = 32
SIGNATURE_BYTES = 64
CERTIFICATE_BYTES = 2 + PUBLIC_KEY_BYTES + SIGNATURE_BYTES
SEAL_BYTES = CERTIFICATE_BYTES + SIGNATURE_BYTES


def certificate_input(use, until, public_key):
    """What the vault signs: who holds this key may sign `use`, up to and with a day."""
    return b"meedoen signer of " + use + b"\x00" + uint(until, 2) + exactly(public_key, PUBLIC_KEY_BYTES, "public key")


def certificate(until, public_key, signature):
    """The certificate, 98 bytes."""
    exactly(public_key, PUBLIC_KEY_BYTES, "public key")
    return uint(until, 2) + public_key + exactly(signature, SIGNATURE_BYTES, "signature")


def read_certificate(data):
    """`(until, public key, signature)`."""
    exactly(data, CERTIFICATE_BYTES, "certificate")
    return read_uint(data, 0, 2), data[2 : 2 + PUBLIC_KEY_BYTES], data[2 + PUBLIC_KEY_BYTES :]


def content_input(use, content):
    """What the holder of the certificate signs."""
    return b"meedoen " + use + b"\x00" + content


def signed(use, content, certificate, sign):
    """The content with certificate and signature behind it; `sign(message)` is the holder's Ed25519."""
    return content + certificate + sign(content_input(use, content))
