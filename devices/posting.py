"""Posting: simulated measurements as the requests by which a vendor delivers them.

Owns what befalls them on the way: gathering into bodies, parts posted apart, retries of what was
not answered, deliveries overtaken by later ones, heartbeats. Does not own what was measured
(``devices.simulator``), how it is said (``devices.speaking``) nor sending it anywhere. The same
seed gives the same requests, proofs included.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from devices.authenticity import Scheme
from devices.delivery import Incoming, Secret
from devices.proof import prove
from devices.simulator import Sent, stream
from devices.speaking.format import Format, Item
from devices.vendor import Vendor

_STRAGGLER_SECONDS = 90


@dataclass(frozen=True)
class Trouble:
    """What befalls deliveries, as chances for each, and how often devices say that they live.

    ``split``: the parts of a measurement are posted apart, in any order, within 90 seconds;
    ``retry``: the vendor saw no answer and posts the same once more, later; ``delay``: it comes up
    to ``delay_hours_at_most`` later, after others that were sent after it. ``heartbeat_hours`` is
    the time between two heartbeats of a device, 0 for none.
    """

    split: float = 0
    retry: float = 0
    delay: float = 0
    delay_hours_at_most: int = 30
    heartbeat_hours: int = 0


@dataclass(frozen=True)
class Posted:
    """One request: when it is posted (aware UTC), its headers, its query and its exact body."""

    sent_at: datetime
    headers: dict[str, str]
    body: bytes
    query: str = ""

    @property
    def incoming(self) -> Incoming:
        """As it comes in at the door."""
        return Incoming(self.headers, self.body, self.query)


@dataclass(frozen=True)
class _Leaving:
    at: datetime
    item: Item


@dataclass(frozen=True)
class Sender:
    """A vendor's sender: its format, and how it proves its requests.

    One whose connection has a scheme with a signature signs each try anew.
    """

    format: Format
    scheme: Scheme
    secret: Secret

    def request(self, body: bytes, at: datetime) -> Posted:
        """The request that posts a body at an instant."""
        message_id = f"msg_{hashlib.sha256(body).hexdigest()[:24]}"
        proof = prove(self.scheme, self.secret, message_id, at, body)
        headers = {"content-type": self.format.content_type, **proof.headers}
        return Posted(at, headers, body, proof.query)


def proved_by(vendor: Vendor) -> Scheme:
    """A vendor's first way of proof that has a secret; the address alone where none has."""
    return next((one for one in vendor.schemes if one.kind != "path"), vendor.schemes[0])


def deliveries(
    sent: Iterable[Sent],
    sender: Sender,
    *,
    window: timedelta = timedelta(hours=1),
    at_most: int = 1_000,
    trouble: Trouble | None = None,
    seed: int = 0,
) -> Iterator[Posted]:
    """Requests that bring measurements, at most so many items and so long a time in one.

    In order of posting. A request is posted when its last item is sent, or later by ``trouble``.
    """
    met = trouble or Trouble()
    random = stream(seed, "posting", sender.format.vendor)
    leaving = _leaving(sorted(sent, key=lambda one: one.sent_at), sender.format, met, random)
    posts = _posts(leaving, sender, window, min(at_most, sender.format.at_most))
    if met.delay or met.retry:
        posts = _on_the_way(posts, sender, met, random)
    return iter(posts)


def _leaving(
    sent: Sequence[Sent], spoken: Format, trouble: Trouble, random: Random
) -> list[_Leaving]:
    """Every item with the instant at which it is ready to be posted, in that order."""
    leaving = []
    for one in sent:
        items = spoken.items(one)
        apart = len(items) > 1 and random.random() < trouble.split
        if apart:
            random.shuffle(items)
        for item in items:
            later = random.randrange(_STRAGGLER_SECONDS) if apart else 0
            leaving.append(_Leaving(one.sent_at + timedelta(seconds=later), item))
    leaving += _heartbeats(sent, spoken, trouble)
    return sorted(leaving, key=lambda one: one.at)


def _heartbeats(sent: Sequence[Sent], spoken: Format, trouble: Trouble) -> Iterator[_Leaving]:
    """Each device says that it lives from its first sending to its last."""
    if spoken.heartbeat is None or not trouble.heartbeat_hours:
        return
    for device_id in sorted({one.measurement.device_id for one in sent}):
        own = [one.sent_at for one in sent if one.measurement.device_id == device_id]
        at = own[0].replace(microsecond=0)
        while at < own[-1]:
            yield _Leaving(at, spoken.heartbeat(device_id, at))
            at += timedelta(hours=trouble.heartbeat_hours)


def _posts(
    leaving: Sequence[_Leaving], sender: Sender, window: timedelta, at_most: int
) -> list[Posted]:
    batches: list[list[_Leaving]] = []
    for one in leaving:
        last = batches[-1] if batches else []
        if last and len(last) < at_most and one.at - last[0].at < window:
            last.append(one)
        else:
            batches.append([one])
    return [_post(batch, sender) for batch in batches]


def _post(batch: Sequence[_Leaving], sender: Sender) -> Posted:
    posted_at = batch[-1].at.replace(microsecond=0)
    body = sender.format.body([one.item for one in batch], posted_at)
    return sender.request(body, posted_at)


def _on_the_way(
    posts: Iterable[Posted], sender: Sender, trouble: Trouble, random: Random
) -> list[Posted]:
    """Some come later than they were sent, some come twice."""
    arrived = []
    for post in posts:
        at = post.sent_at
        if random.random() < trouble.delay:
            at += timedelta(minutes=random.randrange(1, 60 * trouble.delay_hours_at_most))
        arrived.append(sender.request(post.body, at))
        if random.random() < trouble.retry:
            again = at + timedelta(seconds=random.choice((10, 60, 900, 3_600, 90_000)))
            arrived.append(sender.request(post.body, again))
    return sorted(arrived, key=lambda one: one.sent_at)
