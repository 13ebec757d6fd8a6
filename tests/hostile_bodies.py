"""Hostile bodies: what no format may stumble over, by name (reference, section 15, case 17)."""

import gzip

HOSTILE = {
    "deep lists": b"[" * 10_000 + b"]" * 10_000,
    "deep objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "not a number": b'{"value": NaN, "readingType": "Weight", "resourceType": "Observation"}',
    "infinity": b'{"value": -Infinity}',
    "1e999": b'{"value": 1e999, "values": {"weight": 1e999}}',
    "a key twice": b'{"deviceId": "1", "deviceId": "2"}',
    "UTF-16": '{"deviceId": "1"}'.encode("utf-16"),
    "gzip cut off": gzip.compress(b'{"deviceId": "1"}' * 100)[:20],
    "nothing": b"",
    "a null character": b'{"deviceId": "\\u0000"}',
    "half a pair": b'{"deviceId": "\\ud800"}',
    "a byte order mark": b'\xef\xbb\xbf{"deviceId": "1"}',
}
