"""Encryption of single columns: AES-256-GCM, bound to the place where the value stands.

Owns the form of an encrypted value. Does not own keys (``rpm.keys``) nor which columns are secret.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from rpm.errors import NotReady
from rpm.keys import KEY_ID_CHARACTERS, KeyRing

_NONCE_BYTES = 12


def encrypt_field(ring: KeyRing, plain: bytes, place: str) -> bytes:
    """Key id, nonce and ciphertext. ``place`` (table, column, row) is authenticated with it."""
    nonce = os.urandom(_NONCE_BYTES)
    sealed = AESGCM(ring.current).encrypt(nonce, plain, place.encode())
    return ring.current_id.encode() + nonce + sealed


def decrypt_field(ring: KeyRing, stored: bytes, place: str) -> bytes:
    """The plain value; ``NotReady`` when no key fits or the value was altered or moved."""
    key = ring.keys.get(stored[:KEY_ID_CHARACTERS].decode("ascii", "replace"))
    if key is None:
        raise NotReady("no field key of this installation fits an encrypted value")
    nonce = stored[KEY_ID_CHARACTERS : KEY_ID_CHARACTERS + _NONCE_BYTES]
    try:
        sealed = stored[KEY_ID_CHARACTERS + _NONCE_BYTES :]
        return AESGCM(key).decrypt(nonce, sealed, place.encode())
    except (InvalidTag, ValueError) as error:
        raise NotReady("an encrypted value was altered or moved") from error
