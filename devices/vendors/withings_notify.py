"""Withings, asked whether it still notifies: subscriptions are looked for, and made again.

Owns the requests about subscriptions and what is kept of the look. Does not own tokens and answers
as such (``withings_pull``). The vendor drops a subscription when its notifications fail, without a
word; then only the night's fetch would tell. The address of notifications holds a secret of which
only the hash is stored, so the practice gives the address with its application, or nothing is
looked for.

Source: developer.withings.com, notify-list and notify-subscribe.
"""

from collections.abc import Mapping
from typing import Any

from devices.pull import Held, Noted

CALLBACK = "callback_url"
_APPLIS = (1, 2, 4, 54)
"""What is subscribed to: the weight family, temperature, pressure with pulse, saturation."""
_LOOK_AFTER_SECONDS = 20 * 3600
_MOST_PROFILES = 1_000


def begun_look(cursor: Mapping[str, Any], now_second: int) -> dict[str, Any]:
    """What a run keeps of the look: one is due once a night."""
    looked = cursor.get("looked")
    due = looked is None or now_second - looked > _LOOK_AFTER_SECONDS
    left = [["list", appli] for appli in _APPLIS] if due else []
    return {"looked": looked, "asks": left, "lost": []}


def kept_look(cursor: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept until the next run."""
    return {"looked": cursor.get("looked")}


def notify_form(held: Held) -> dict[str, str] | None:
    """The next question about subscriptions; None when there is none."""
    asks, callback = held.cursor.get("asks"), held.credentials.get(CALLBACK)
    if not asks or not callback:
        return None
    action, appli = asks[0]
    form = {"action": action, "appli": str(appli)}
    return {**form, CALLBACK.replace("_", ""): callback} if action == "subscribe" else form


def after_answer(held: Held, answer: Mapping[str, Any] | None, now_second: int) -> Noted:
    """Where the look stands after an answer; None for one that refuses.

    A subscription that is not there is asked for; one that cannot be had is told at the end.
    """
    cursor = dict(held.cursor)
    (action, appli), *left = cursor["asks"]
    if action == "list" and not _listed(answer, held.credentials[CALLBACK]):
        left = [["subscribe", appli], *left]
    elif action == "subscribe" and answer is None:
        cursor["lost"] = [*cursor["lost"], appli]
    cursor["asks"] = left
    if left:
        return Noted(cursor)
    cursor["looked"] = now_second
    kinds = ", ".join(str(one) for one in cursor["lost"])
    return Noted(cursor, f"notifications cannot be subscribed to: appli {kinds}" if kinds else "")


def _listed(answer: Mapping[str, Any] | None, callback: str) -> bool:
    profiles = answer.get("profiles") if answer else None
    if not isinstance(profiles, list):
        return False
    return any(
        isinstance(one, dict) and one.get("callbackurl") == callback
        for one in profiles[:_MOST_PROFILES]
    )
