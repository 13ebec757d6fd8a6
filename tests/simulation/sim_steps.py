"""The steps of a run: what may happen, and how often.

Owns the weights. Each step changes the world or asks something of the product and tells in a few
words how it came out, without ids, so that two runs of a seed can be compared.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sim_checks import check_close, check_export
from sim_devices import ZONES
from sim_model import Ending
from sim_practice import PRACTICE_ZONE
from sim_requests import (
    Request,
    Work,
    closing,
    delivery,
    ending,
    excluding,
    logging,
    reversing,
)
from sim_run import Run
from sim_vendors import WORDS, Item, Packet, packet

from devices.speaking import FORMATS
from rpm.actions.close_month import ClosedMonth, post_close
from rpm.actions.compute_close import compute_close, next_month
from rpm.errors import ServiceError
from rpm.store.engine import reading, transaction
from rpm.store.scope import Scope

LENGTHS_SECONDS = (1, 59, 240, 480, 599, 600, 601, 900, 1200, 1201, 1500)
_FIRST_HOUR = 6  # nobody works between one and six in the morning


def wait(run: Run) -> str:
    """Some hours go by."""
    run.pass_time(hours=run.draw.randint(1, 17), minutes=run.draw.randrange(60))
    return f"{run.true:%m-%d %H:%M}"


def send(run: Run) -> str:
    """Readings leave the memories of devices in any order; or what was not taken is sent again."""
    if run.outbox and run.draw.random() < 0.5:
        return _post(run, run.outbox.pop(run.draw.randrange(len(run.outbox))))
    online = [one for one in run.devices if one.online]
    if not any(one.memory for one in online):
        return _heartbeat(run) if run.draw.random() < 0.2 else "nothing to send"
    vendor = run.draw.choice([one.kit.vendor for one in online if one.memory])
    waiting = [(one, item) for one in online if one.kit.vendor == vendor for item in one.memory]
    most = run.draw.randint(1, WORDS[vendor].at_most)
    chosen = run.draw.sample(waiting, k=min(len(waiting), most))
    for device, item in chosen:
        device.memory.remove(item)
    return _post(run, packet(vendor, run.new_message(), [item for _, item in chosen]))


def _heartbeat(run: Run) -> str:
    """A device that has measured nothing says that it lives."""
    beats = FORMATS["telli"].heartbeat
    assert beats is not None
    (kit,) = (one.kit for one in run.devices if one.kit.vendor == "telli")
    return _post(run, packet("telli", "", [beats(kit.device, run.true)]))


def _post(run: Run, one: Packet) -> str:
    """Post a packet; what is not acknowledged stays in the gateway."""
    # a gateway in the practice's own network goes wrong with the host's clock, a vendor's does not
    clock_off = run.host.clock_off if run.draw.random() < 0.5 else timedelta(0)
    told = run.put(delivery(run.office, run.model, run.ring, one, clock_off))
    if (one.message_id, one.body) in run.model.deliveries:
        run.sent.append(one)
    else:
        run.outbox.append(one)
    return told


def repeat(run: Run) -> str:
    """A packet comes again, or its readings in another packet, or other readings under its id."""
    if not run.sent:
        return "nothing sent yet"
    one = run.draw.choice(run.sent)
    shape = run.draw.random()
    known = run.known_items(one.vendor)
    if shape < 0.5 or not known:
        return _post(run, one)
    some = run.draw.sample(known, k=min(len(known), 3, WORDS[one.vendor].at_most))
    if one.vendor == "telli":  # what came at once comes from memory later
        some = [item | {"mem": run.draw.choice("01")} for item in some]
    if shape < 0.8:
        return _post(run, packet(one.vendor, run.new_message(), some))
    return _post(run, packet(one.vendor, one.message_id or "", some))


def contradict(run: Run) -> str:
    """A reading comes with other content under its id, unannounced: a conflict."""
    vendor = run.draw.choice(tuple(WORDS))
    items = run.known_items(vendor)
    if not items:
        return "nothing measured yet"
    item, more = run.draw.choice(items), run.draw.randint(1, 3)
    return _post(run, packet(vendor, run.new_message(), [_otherwise(vendor, item, more)]))


def _otherwise(vendor: str, item: Item, more: int) -> Item:
    """The same reading, or part of one, with another value."""
    if vendor == "generic":
        first, *others = item["components"]
        return item | {"components": [first | {"value": str(int(first["value"]) + more)}, *others]}
    if vendor == "tenovi":
        return item | {"value_1": str(int(item["value_1"]) + more)}
    return item | {"data": item["data"] | {"systolic": item["data"]["systolic"] + more}}


def correct(run: Run) -> str:
    """A sender corrects a reading or takes it back, perhaps before the reading itself came."""
    items = run.known_items("generic")
    if not items:
        return "nothing measured yet"
    item = run.draw.choice(items)
    status = run.draw.choice(("corrected", "corrected", "deleted"))
    changed: Item = item | {"status": status}
    if status != "deleted":
        changed = _otherwise("generic", changed, run.draw.randint(1, 3))
    if status == "corrected" and run.draw.random() < 0.4:
        changed["measured_at"] = run.draw.choice(items)["measured_at"]
    return _post(run, packet("generic", run.new_message(), [changed]))


def jam(run: Run) -> str:
    """A device loses or finds its connection: what it holds may come after the close."""
    device = run.draw.choice(run.devices)
    device.online = not device.online
    return f"{device.kit.device} {'online' if device.online else 'offline'}"


def travel(run: Run) -> str:
    """A patient goes to another zone; the device tells its new offset."""
    device = run.draw.choice(run.devices)
    device.zone = run.draw.choice((*ZONES, device.chart.zone))
    return f"{device.kit.device} in {device.zone}"


def log(run: Run) -> str:
    """Somebody logs work of today, or at last of an earlier day."""
    draw = run.draw
    lag = timedelta(days=draw.randint(1, 45) if draw.random() < 0.2 else 0)
    seconds = draw.choice(LENGTHS_SECONDS)
    started_at = run.true - lag - timedelta(minutes=draw.randrange(400), seconds=seconds)
    local = started_at.astimezone(ZoneInfo(PRACTICE_ZONE))
    if local.hour < _FIRST_HOUR:
        started_at -= timedelta(hours=8)
    one = Work(
        UUID(int=draw.getrandbits(128), version=4),
        draw.choice(run.office.charts),
        draw.choice(run.office.staff),
        work="CCM" if draw.random() < 0.1 else "RPM",
        mode=draw.choice(("live", "live", "async")),
        started_at=None if draw.random() < 0.15 else started_at,
        day=local.date(),
        seconds=seconds,
    )
    return _logged(run, one)


def _logged(run: Run, one: Work) -> str:
    run.logged.append(one)
    return run.put(logging(run.office, run.model, one))


def log_again(run: Run) -> str:
    """A client asks again, with the same content or, wrongly, with other content."""
    if not run.logged:
        return "nothing logged yet"
    one = run.draw.choice(run.logged)
    if run.draw.random() < 0.7:
        return run.put(logging(run.office, run.model, one))
    other = replace(one, seconds=one.seconds + 60)
    told = run.put(logging(run.office, run.model, other))
    if told != "Conflict":  # the first was lost: this one is the first of its id
        run.logged[run.logged.index(one)] = other
    return told


def reverse(run: Run) -> str:
    """An entry is taken back."""
    standing = [entry for entry in run.model.entries if not entry.reversed]
    if not standing:
        return "nothing to take back"
    return run.put(reversing(run.office, run.draw.choice(standing)))


def reverse_again(run: Run) -> str:
    """An entry that was taken back cannot be taken back once more."""
    gone = [entry for entry in run.model.entries if entry.reversed]
    if not gone:
        return "nothing was taken back"
    told = run.put(reversing(run.office, run.draw.choice(gone)))
    assert told in ("Conflict", "lost in a crash"), told
    return told


def rewrite(run: Run) -> str:
    """An entry is taken back and written anew with another length."""
    standing = [entry for entry in run.model.entries if not entry.reversed]
    if not standing:
        return "nothing to write anew"
    entry = run.draw.choice(standing)
    told = run.put(reversing(run.office, entry))
    one = Work(
        UUID(int=run.draw.getrandbits(128), version=4),
        entry.chart,
        entry.staff,
        entry.work,
        entry.mode,
        None,
        entry.day,
        run.draw.choice(LENGTHS_SECONDS),
    )
    return f"{told}; {_logged(run, one)}"


def exclude(run: Run) -> str:
    """A person takes a reading out of the count, or lets one count again."""
    lift = run.draw.random() < 0.35
    known = [one for one in run.model.readings.values() if one.excluded is lift]
    if not known:
        return "no such reading"
    return run.put(excluding(run.office, run.draw.choice(known), lift=lift))


def end(run: Run) -> str:
    """An episode ends, or its end was a mistake."""
    chart = run.draw.choice(run.office.charts)
    if chart.episode_id in run.model.ends:
        return run.put(ending(run.office, run.model, chart, None))
    day = run.today - timedelta(days=run.draw.randrange(20))
    reason = run.draw.choice(("goals_met", "patient_request", "death"))
    last_day = max(day, run.office.opened_day)
    return run.put(ending(run.office, run.model, chart, Ending(last_day, reason)))


def close(run: Run) -> str:
    """The next month is closed, or the latest once more with what was corrected since."""
    month = _month(run)
    return run.put(_close(run, month, whole=run.draw.random() < 0.3))


def _month(run: Run) -> date:
    if not run.closed:
        return run.office.opened_day.replace(day=1)
    latest = run.closed[-1]
    # the host may take a month to be over that is not, and the other way round
    return next_month(latest) if run.draw.random() < 0.6 else latest


def _close(run: Run, month: date, *, whole: bool) -> Request:
    def note(answer: ClosedMonth, _: Any) -> str:
        if month not in run.closed:
            run.closed.append(month)
        check_close(run, run.model.expected(next_month(month)))
        return f"{month:%Y-%m} {'repeated' if answer.repeated else answer.close.totals}"

    return closing(run.office, month, note, whole=whole)


def second_closer(run: Run) -> str:
    """A closer computes, something happens, another one closes or not, and then it posts."""
    month = _month(run)
    try:
        with reading(run.host.engine) as db:
            computed = compute_close(db, Scope.of(run.actor), run.now, month)
    except ServiceError as error:
        return type(error).__name__
    expected = run.model.expected(next_month(month))
    told = [run.draw.choice((log, reverse, send, exclude))(run)]
    other_closes = run.draw.random() < 0.6
    if other_closes:
        told.append(run.put(_close(run, month, whole=False)))
    try:
        with transaction(run.host.engine) as db:
            posted = post_close(db, run.actor, run.now, computed)
    except ServiceError as error:
        return "; ".join([*told, type(error).__name__])
    if month not in run.closed:
        run.closed.append(month)
    # who is told of a close that was there posted nothing: what stands is what that close said
    check_close(run, run.posted if posted.repeated else expected)
    return "; ".join([*told, "repeated" if posted.repeated else "posted"])


def export(run: Run) -> str:
    """The latest close is exported, again with the same bytes."""
    return check_export(run)


def crash(run: Run) -> str:
    """The next request meets a crash."""
    run.crash_next = True
    return "armed"


def restart(run: Run) -> str:
    """The service is restarted."""
    run.host.restart()
    return "up"


def step_clock(run: Run) -> str:
    """The host's clock goes wrong by minutes or a day, or is set right again."""
    if run.host.clock_off:
        run.host.clock_off = timedelta(0)
    else:
        hours = run.draw.choice((-24, 24, -24, 24, -1, 1, 0.05))
        run.host.clock_off = timedelta(hours=hours)
    return str(run.host.clock_off)


STEPS: tuple[tuple[int, Callable[[Run], str]], ...] = (
    (480, wait),
    (130, jam),
    (60, travel),
    (60, step_clock),
    (25, restart),
    (45, crash),
    (35, send),
    (17, repeat),
    (10, contradict),
    (12, correct),
    (28, log),
    (8, log_again),
    (12, reverse),
    (5, reverse_again),
    (5, rewrite),
    (18, exclude),
    (9, end),
    (13, close),
    (4, second_closer),
    (5, export),
)
_WEIGHTS = [weight for weight, _ in STEPS]
_ACTIONS = [action for _, action in STEPS]


def step(run: Run) -> None:
    """One step, drawn by weight."""
    (action,) = run.draw.choices(_ACTIONS, _WEIGHTS)
    run.pass_time(minutes=run.draw.randrange(5))
    run.trace.append(f"{action.__name__}: {action(run)}")
