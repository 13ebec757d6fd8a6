"""Pulling from a real server that speaks as Withings documents; on both engines where it stores."""

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from intake_door import Door
from sqlalchemy.engine import Engine
from sqlmodel import col, select
from withings_cloud import CLIENT, Cloud, Cut, Killed, client_of, served

from devices.delivery import Incoming
from devices.pull import Request
from devices.vendors.withings_pull import WithingsSource
from rpm.access import Actor
from rpm.actions.heard_contacts import heard
from rpm.actions.pull_accounts import (
    AuthorizeAccount,
    WithdrawAccount,
    ask_all,
    ask_where_notified,
    authorize_account,
    claim_account,
    end_run,
    withdraw_account,
)
from rpm.actions.replay_dead_letters import ReplayDeadLetters, replay_dead_letters
from rpm.errors import Conflict, InvalidRequest
from rpm.ids import uuid7
from rpm.pull import Outcome, Pulling, outgoing_client
from rpm.settings import Settings
from rpm.store.device_days import holds
from rpm.store.engine import reading, transaction
from rpm.store.queries.pulls import due_accounts
from rpm.store.scope import Scope
from rpm.store.tables.alerts import Alert
from rpm.store.tables.monitoring import Delivery, Reading, RejectedItem
from rpm.store.tables.pulls import PullAccount
from rpm.store.tables.security import AuditEvent
from rpm.store.verify import verify_chain
from tests.conftest import FixedClock

USER = "11223344"
NOON = datetime(2026, 1, 14, 17, 0, tzinfo=UTC)
DAY = date(2026, 1, 14)


class Practice:
    """A practice with a Withings connection, its cloud, and what asks."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        actor: Actor,
        clock: FixedClock,
        cloud: Cloud,
        port: int,
    ) -> None:
        self.engine, self.actor, self.clock, self.cloud = engine, actor, clock, cloud
        self.scope, self.port = Scope.of(actor), port
        self.door = Door(engine, settings, actor, clock.now(), vendor="withings")
        self.ring = self.door.ring
        self.waits: list[float] = []
        self.client = client_of(port)
        self.authorize("", CLIENT)

    def authorize(self, subject: str, credentials: dict[str, str]) -> PullAccount:
        """Give an account its credentials."""
        command = AuthorizeAccount(
            connection_id=self.door.connection.id, subject=subject, credentials=credentials
        )
        with transaction(self.engine) as db:
            return authorize_account(db, self.actor, self.clock.now(), self.ring, command)

    def account(self, subject: str = USER) -> PullAccount:
        """An account as it stands."""
        with reading(self.engine) as db:
            return db.exec(select(PullAccount).where(col(PullAccount.subject) == subject)).one()

    def pull(self, subject: str = USER) -> Outcome:
        """Fetch an account."""
        pulling = Pulling(self.engine, self.ring, self.clock, self.client, self.waits.append)
        return pulling.run(self.scope, self.account(subject).id)

    def notify(self, body: str) -> str:
        """Post a notification to the door; its state."""
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return self.door.take(Incoming(headers, body.encode())).state

    def asked(self) -> int:
        """Look for notifications; how many accounts are asked for."""
        with transaction(self.engine) as db:
            return ask_where_notified(db, self.scope, self.clock.now())

    def due(self) -> list[str]:
        """The accounts that a job would fetch now."""
        with reading(self.engine) as db:
            return [one.subject for one in due_accounts(db, self.scope, self.clock.now())]

    def held(self) -> dict[str | None, tuple[str, bool, int]]:
        """The readings that hold: status, whether they count, and their version."""
        with reading(self.engine) as db:
            rows = db.exec(select(Reading).where(holds())).all()
        return {row.vendor_reading_id: (row.status, row.countable, row.version) for row in rows}

    def deliveries(self) -> list[Delivery]:
        """All deliveries in the order they came."""
        with reading(self.engine) as db:
            return list(db.exec(select(Delivery).order_by(col(Delivery.audit_number))).all())

    def later(self, **parts: float) -> None:
        """Time passes, here and at the vendor."""
        self.clock.advance(**parts)
        self.cloud.now = self.clock.now()


@pytest.fixture
def practice(
    engine: Engine, settings: Settings, actor: Actor, clock: FixedClock
) -> Iterator[Practice]:
    """A practice whose patient has a scale and an account with one measurement."""
    cloud = Cloud(clock.now())
    with served(cloud) as port:
        made = Practice(engine, settings, actor, clock, cloud, port)
        made.authorize(USER, made.cloud.account(USER))
        patient_id = made.door.practice.patient()
        device_id = made.door.device("scale-1")
        made.door.assign(device_id, patient_id, made.door.practice.episode(patient_id))
        made.cloud.weigh(USER, 1, NOON)
        yield made
        made.client.close()


def test_a_run_records_what_the_account_holds(practice: Practice) -> None:
    """Tokens are got, changes and window asked for; a reading of an assigned device counts."""
    outcome = practice.pull()
    assert (outcome.problem, outcome.recorded, outcome.requests) == ("", 1, 3)
    assert practice.held() == {"1/weight": ("final", True, 1)}
    assert practice.door.days() == {(DAY, ""): (1, 0)}
    assert [path for _, path, _ in practice.cloud.asked] == ["/v2/oauth2", "/measure", "/measure"]
    assert {host for host, _, _ in practice.cloud.asked} == {"wbsapi.withings.net"}
    (delivery,) = practice.deliveries()  # the window held the same groups
    assert (delivery.state, delivery.headers) == ("read", {"pulled": f"subject={USER}"})
    assert b"measuregrps" in delivery.body
    account = practice.account()
    assert (account.asked_at, account.problem) == (None, None)
    assert account.pulled_at == practice.clock.now()


def test_a_second_run_adds_nothing(practice: Practice) -> None:
    """Nothing new is no new delivery, no audit event and no version."""
    practice.pull()
    with reading(practice.engine) as db:
        before = db.exec(select(AuditEvent.number)).all()
    practice.later(hours=1)
    assert practice.pull().recorded == 0
    assert practice.held() == {"1/weight": ("final", True, 1)}
    assert len(practice.deliveries()) == 1
    with reading(practice.engine) as db:
        assert db.exec(select(AuditEvent.number)).all() == before


def test_a_notification_leads_to_a_fetch_of_its_account_and_to_nothing_else(
    practice: Practice,
) -> None:
    """What is posted becomes no reading; the named account is asked for, others are not."""
    practice.pull()
    practice.authorize("5", practice.cloud.account("5"))
    practice.pull("5")
    assert practice.due() == []
    assert practice.notify(f"userid={USER}&appli=1&startdate=1&enddate=2") == "read"
    assert practice.notify("userid=999&appli=1&startdate=1&enddate=2") == "read"
    assert practice.notify(practice.deliveries()[0].body.decode()) == "dead_letter"
    assert (practice.asked(), practice.due()) == (1, [USER])
    assert practice.asked() == 0
    practice.later(minutes=1)
    practice.cloud.weigh(USER, 2, practice.clock.now() - timedelta(minutes=2))
    assert practice.pull().recorded == 1
    assert practice.due() == []
    assert set(practice.held()) == {"1/weight", "2/weight"}


def test_a_device_is_heard_by_its_readings_and_not_by_notifications(practice: Practice) -> None:
    """A notification names an account; no device said anything."""
    practice.notify(f"userid={USER}&appli=1&startdate=1&enddate=2")
    with reading(practice.engine) as db:
        assert heard(db, practice.actor.organization_id, 0, 1_000) == {}
    practice.pull()
    with reading(practice.engine) as db:
        found = heard(db, practice.actor.organization_id, 0, 1_000)
    assert set(found) == {("withings", "scale-1")}


def test_an_account_has_one_holder_until_that_dies(practice: Practice) -> None:
    """Two processes do not fetch one account; after ten minutes it is free again."""
    with transaction(practice.engine) as db:
        account_id, holder = practice.account().id, uuid7(practice.clock.now())
        now = practice.clock.now()
        claim = claim_account(db, practice.scope, practice.ring, now, account_id, holder)
    assert claim is not None
    assert practice.pull().held
    assert practice.due() == []
    practice.later(minutes=11)
    assert practice.due() == [USER]
    assert practice.pull().problem == ""


def test_a_notification_during_a_run_is_not_lost(practice: Practice) -> None:
    """What asks for a fetch while one goes on still stands behind it."""
    with transaction(practice.engine) as db:
        account_id, holder = practice.account().id, uuid7(practice.clock.now())
        now = practice.clock.now()
        claim = claim_account(db, practice.scope, practice.ring, now, account_id, holder)
    assert claim is not None
    practice.later(seconds=5)
    practice.notify(f"userid={USER}&appli=1&startdate=1768482800&enddate=1768482801")
    assert practice.asked() == 1
    with transaction(practice.engine) as db:
        end_run(db, practice.scope, practice.clock.now(), claim, problem="", retry=None)
    assert practice.due() == [USER]
    assert practice.account().asked_since == datetime(2026, 1, 15, 13, 13, 20, tzinfo=UTC)


def test_a_change_is_a_correction_and_a_deletion_takes_back(practice: Practice) -> None:
    """The day follows the vendor: corrected, taken back, and there again."""
    practice.pull()
    practice.later(hours=1)
    practice.cloud.weigh(USER, 1, NOON, measures=[{"type": 1, "value": 80500, "unit": -3}])
    practice.pull()
    assert practice.held() == {"1/weight": ("corrected", True, 2)}
    gone = practice.cloud.accounts[USER].groups.pop(1)
    practice.later(hours=1)
    practice.pull()
    assert practice.held() == {"1/weight": ("void", False, 3)}
    assert practice.door.days() == {(DAY, "excluded"): (0, 1)}
    practice.later(hours=1)
    assert practice.pull().recorded == 0
    practice.cloud.accounts[USER].groups[1] = gone
    practice.later(hours=1)
    practice.pull()
    assert practice.held() == {"1/weight": ("corrected", True, 4)}
    assert practice.door.days() == {(DAY, ""): (1, 0)}


def test_an_ambiguous_owner_waits_until_the_vendor_knows(practice: Practice) -> None:
    """The reading is quarantined, and counts once the account's owner has claimed it."""
    practice.cloud.weigh(USER, 1, NOON, attrib=1)
    practice.pull()
    (row,) = practice.door.readings()
    assert (row.reason_code, row.countable) == ("owner_ambiguous", False)
    practice.later(hours=1)
    practice.cloud.weigh(USER, 1, NOON, attrib=0)
    practice.pull()
    assert practice.held() == {"1/weight": ("corrected", True, 2)}


def test_pages_are_fetched_to_the_last(practice: Practice) -> None:
    """Each page is a delivery, and no group is missed or taken twice."""
    practice.cloud.page_groups = 10
    for place in range(2, 36):
        practice.cloud.weigh(USER, place, NOON - timedelta(hours=place))
    assert practice.pull().recorded == 35
    assert len(practice.held()) == 35
    assert len(practice.deliveries()) == 4
    assert {version for _, _, version in practice.held().values()} == {1}


def test_tokens_are_renewed_and_the_new_ones_kept(practice: Practice) -> None:
    """A token that ended, early or as told, is renewed with the refresh token that came last."""
    practice.pull()
    practice.later(hours=1)
    practice.cloud.expire(USER)
    assert practice.pull().problem == ""
    practice.later(hours=4)
    assert practice.pull().problem == ""
    used = [form["refresh_token"] for _, path, form in practice.cloud.asked if "oauth2" in path]
    assert used == [f"refresh-0-{USER}", "refresh-1", "refresh-2"]
    stored = practice.account().credentials_encrypted
    assert not any(word in stored for word in (b"refresh", b"access"))


def test_refused_tokens_stop_the_account_until_a_person_acts(practice: Practice) -> None:
    """An account whose owner ended the link is asked no more, until it is authorized anew."""
    practice.pull()
    practice.later(hours=4)
    practice.cloud.accounts[USER].refresh_tokens.clear()
    outcome = practice.pull()
    assert (outcome.stopped, "authorized anew" in outcome.problem) == (True, True)
    with transaction(practice.engine) as db:
        assert ask_all(db, practice.scope, practice.clock.now()) == 0
    practice.notify(f"userid={USER}&appli=46&action=unlink")
    assert (practice.asked(), practice.due()) == (0, [])
    groups = practice.cloud.accounts[USER].groups
    practice.authorize(USER, practice.cloud.account(USER))
    practice.cloud.accounts[USER].groups = groups
    assert practice.due() == [USER]
    assert practice.pull().problem == ""
    assert practice.held() == {"1/weight": ("final", True, 1)}


BUSY: list[tuple[int, dict[str, str], bytes]] = [
    (429, {"retry-after": "3"}, b""),
    (503, {}, b"<html>"),
    (200, {}, b'{"status": 601, "body": {}}'),
]


@pytest.mark.parametrize("fault", BUSY, ids=["429", "503", "601"])
def test_a_busy_vendor_is_asked_again(practice: Practice, fault: Any) -> None:
    """A wait that it asks for is kept; then the run goes on as if nothing had been."""
    practice.cloud.faults = [fault, fault]
    assert practice.pull().problem == ""
    assert practice.held() == {"1/weight": ("final", True, 1)}
    expected = {429: 3.0, 503: 1.0, 200: 60.0}[fault[0]]
    assert expected in practice.waits
    assert 2.0 in practice.waits


def test_a_vendor_that_stays_busy_is_left_alone_for_longer_each_time(practice: Practice) -> None:
    """The account is due again after one minute, two, four; what it says itself goes first."""
    for failures, minutes in enumerate((1, 2, 4)):
        practice.cloud.faults = [(503, {}, b"")] * 4
        outcome = practice.pull()
        assert (outcome.problem, outcome.requests) == ("the vendor is busy", 4)
        account = practice.account()
        assert account.retry_at == practice.clock.now() + timedelta(minutes=minutes)
        assert account.failures == failures + 1
        assert practice.due() == []
        practice.later(minutes=minutes)
        assert practice.due() == [USER]
    practice.cloud.faults = [(429, {"retry-after": "3600"}, b"")]
    assert practice.pull().requests == 1
    assert practice.account().retry_at == practice.clock.now() + timedelta(hours=1)
    practice.later(hours=1)
    assert practice.pull().problem == ""
    assert practice.account().failures == 0


def test_requests_keep_the_vendors_pace(practice: Practice) -> None:
    """120 a minute is one each half second, whatever the accounts."""
    practice.authorize("5", practice.cloud.account("5"))
    pulling = Pulling(
        practice.engine, practice.ring, practice.clock, practice.client, practice.waits.append
    )
    began = time.monotonic()
    sent = sum(
        pulling.run(practice.scope, practice.account(one).id).requests for one in (USER, "5")
    )
    took = time.monotonic() - began
    assert sent == 6
    # nothing really waited, so the last request was told to wait for its own place in the line
    assert practice.waits[-1] >= 0.5 * (sent - 1) - took


def test_a_body_that_cannot_be_read_is_kept(practice: Practice) -> None:
    """It waits as a dead letter, a replay reads it as a fetched body, and the cursor stays."""
    practice.pull()
    practice.later(hours=1)
    practice.cloud.faults = [(200, {}, b'{"status": 0, "body": {"measuregrps": "many"}}')]
    outcome = practice.pull()
    assert (outcome.problem, outcome.stopped) == ("what the vendor answers cannot be read", False)
    letter = practice.deliveries()[-1]
    assert (letter.state, letter.problem) == ("dead_letter", "no list of groups")
    with transaction(practice.engine) as db:
        command = ReplayDeadLetters(delivery_ids=[letter.id])
        again = replay_dead_letters(db, practice.actor, practice.clock.now(), command)
    assert [one.problem for one in again.replayed] == ["no list of groups"]
    practice.later(minutes=1)
    assert practice.pull().problem == ""


def test_tokens_never_become_a_dead_letter(practice: Practice) -> None:
    """An answer to a renewal that cannot be read is not kept: it may hold tokens."""
    practice.cloud.faults = [(200, {}, b'{"status": 0, "body": {"access_token": "a"')]
    assert "cannot be read" in practice.pull().problem
    assert practice.deliveries() == []


@pytest.mark.parametrize(
    "page",
    [
        {"more": 1, "offset": "https://example.com/"},
        {"more": 1, "offset": 0},
        {"more": 1, "offset": -5, "next": "https://example.com/more"},
    ],
)
def test_a_hostile_page_leads_nowhere(practice: Practice, page: dict[str, Any]) -> None:
    """Addresses in a body are never followed, and what was read stands."""
    practice.cloud.changed_pages = [page]
    outcome = practice.pull()
    assert (outcome.problem, outcome.stopped) == ("the vendor's pages do not move on", False)
    assert {host for host, _, _ in practice.cloud.asked} == {"wbsapi.withings.net"}
    assert practice.held() == {"1/weight": ("final", True, 1)}


def test_nothing_is_sent_to_a_host_that_is_not_the_vendors(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even a module that made such a request would not have it sent, nor the token with it."""

    class Elsewhere(WithingsSource):
        def next_request(self, *_arguments: Any) -> Request:
            return Request("GET", "https://example.com/", {"authorization": "Bearer secret"})

    monkeypatch.setattr("rpm.actions.pull_accounts.SOURCES", {"withings": Elsewhere()})
    outcome = practice.pull()
    assert (outcome.stopped, "vendor's hosts" in outcome.problem) == (True, True)
    assert practice.cloud.asked == []


def test_a_group_that_cannot_be_read_is_kept_once_for_each_body(practice: Practice) -> None:
    """It is shown as often as a body with it is stored, not at each phase of each run."""
    practice.cloud.weigh(USER, 2, NOON, attrib="x")
    practice.cloud.weigh(USER, 3, NOON)
    for run, (recorded, stored) in enumerate([(3, 1), (0, 1), (2, 2), (0, 2)]):
        assert practice.pull().recorded == recorded
        with reading(practice.engine) as db:
            items = db.exec(select(RejectedItem)).all()
        assert [(one.reason, one.vendor_reading_id) for one in items] == [("shape", "2")] * stored
        practice.later(hours=2)
        if run == 1:
            practice.cloud.accounts[USER].groups.pop(3, None)
    assert practice.held()["1/weight"] == ("final", True, 1)
    assert practice.held()["3/weight"] == ("void", False, 2)


def test_a_redirect_is_not_followed(practice: Practice) -> None:
    """Another address in a header is an answer that needs a person."""
    practice.cloud.faults = [(302, {"location": "https://example.com/"}, b"")]
    outcome = practice.pull()
    assert (outcome.stopped, outcome.requests) == (True, 1)
    assert len(practice.cloud.asked) == 1


def test_an_answer_without_end_is_cut(practice: Practice) -> None:
    """More than eight megabytes are not taken."""
    practice.pull()
    practice.cloud.faults = [(200, {}, b" " * (8 * 1024 * 1024 + 1))]
    assert practice.pull().problem == "the vendor's answer is too large"


def test_a_vendor_that_is_away_is_tried_again(practice: Practice) -> None:
    """Nothing listens there: a problem with a time, and nothing lost."""
    practice.client.close()
    practice.client = client_of(9)
    outcome = practice.pull()
    assert (outcome.problem, outcome.requests) == ("the vendor is busy", 4)
    assert practice.account().retry_at is not None


def _cut_and_mend(practice: Practice, cut: Cut) -> bool:
    """Die at a request, then go on as a new process does; whether it came to dying at all."""
    died = False
    practice.client.close()
    practice.client = client_of(practice.port, cut)
    try:
        practice.pull()
    except Killed:
        died = True
    practice.client.close()
    practice.client = client_of(practice.port)
    practice.later(minutes=11)
    assert practice.pull().problem == ""
    return died


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("number", range(1, 8))
def test_a_cut_anywhere_loses_and_doubles_nothing(
    practice: Practice, place: str, number: int
) -> None:
    """Before a request, or between an answer and its commit: the next run makes it whole."""
    practice.cloud.page_groups = 2
    for group_id in (2, 3, 4, 5):
        practice.cloud.weigh(USER, group_id, NOON - timedelta(days=group_id))
    assert _cut_and_mend(practice, Cut(place, number))
    assert practice.held() == {f"{one}/weight": ("final", True, 1) for one in range(1, 6)}
    assert len(practice.door.days()) == 5
    with reading(practice.engine) as db:
        assert verify_chain(db, practice.actor.organization_id) == []


@pytest.mark.parametrize("number", range(1, 5))
def test_a_cut_while_taking_back_takes_back_once(practice: Practice, number: int) -> None:
    """A deletion that was found but not recorded is found again."""
    practice.cloud.weigh(USER, 2, NOON - timedelta(days=1))
    practice.pull()
    del practice.cloud.accounts[USER].groups[2]
    practice.later(hours=4)
    assert _cut_and_mend(practice, Cut("after", number))
    practice.later(hours=1)
    practice.pull()
    assert practice.held() == {"1/weight": ("final", True, 1), "2/weight": ("void", False, 2)}


def test_credentials_are_checked_and_encrypted(practice: Practice) -> None:
    """Names that are missing or unknown are refused, and none can be read or seen."""
    for subject, credentials in [
        ("", {"client_id": "x"}),
        (USER, {}),
        (USER, {"refresh_token": "r", "password": "p"}),
    ]:
        with pytest.raises(InvalidRequest):
            practice.authorize(subject, credentials)
    with reading(practice.engine) as db:
        kept = db.exec(select(PullAccount.credentials_encrypted)).all()
    assert not any(CLIENT["client_secret"].encode() in one for one in kept)
    command = AuthorizeAccount(connection_id=practice.door.connection.id, credentials=CLIENT)
    assert CLIENT["client_secret"] not in repr(command)


def test_a_withdrawn_account_is_asked_no_more(practice: Practice) -> None:
    """Its credentials are gone; what was fetched stays."""
    practice.pull()
    command = WithdrawAccount(connection_id=practice.door.connection.id, subject=USER)
    with transaction(practice.engine) as db:
        withdraw_account(db, practice.actor, practice.clock.now(), practice.ring, command)
        assert ask_all(db, practice.scope, practice.clock.now()) == 0
    outcome = practice.pull()
    assert (outcome.requests, outcome.stopped) == (0, True)
    assert set(practice.held()) == {"1/weight"}
    unknown = WithdrawAccount(connection_id=practice.door.connection.id, subject="nobody")
    with transaction(practice.engine) as db, pytest.raises(Conflict):
        withdraw_account(db, practice.actor, practice.clock.now(), practice.ring, unknown)


def test_the_client_of_the_product_follows_nothing_and_nobody() -> None:
    """No redirects, no settings of the environment, a limit of time."""
    with outgoing_client() as client:
        assert not client.follow_redirects
        assert not client.trust_env
        assert client.timeout.read == 20.0


CALLBACK = "https://practice.example/webhooks/withings/an-address-that-is-a-secret"


def _notified(cloud: Cloud) -> list[tuple[str, str]]:
    """What was asked about notifications: action and appli."""
    return [(form["action"], form["appli"]) for _, path, form in cloud.asked if path == "/notify"]


def _alerts(practice: Practice) -> list[Alert]:
    with reading(practice.engine) as db:
        return list(db.exec(select(Alert).order_by(col(Alert.id))).all())


def test_a_lost_subscription_is_made_again_once_a_night(practice: Practice) -> None:
    """What is not listed is subscribed to; what is listed is left alone, until the next night."""
    practice.authorize("", {**CLIENT, "callback_url": CALLBACK})
    practice.cloud.accounts[USER].subscribed = {(1, CALLBACK), (4, "https://other.example/")}
    assert practice.pull().problem == ""
    expected = [("list", "1"), ("list", "2"), ("subscribe", "2"), ("list", "4")]
    assert _notified(practice.cloud)[:4] == expected
    assert {(one, CALLBACK) for one in (1, 2, 4, 54)} < practice.cloud.accounts[USER].subscribed
    assert practice.held() == {"1/weight": ("final", True, 1)}
    practice.cloud.asked.clear()
    practice.later(hours=1)
    assert practice.pull().problem == ""
    assert _notified(practice.cloud) == []
    practice.later(hours=20)
    assert practice.pull().problem == ""
    assert _notified(practice.cloud) == [("list", one) for one in ("1", "2", "4", "54")]
    assert _alerts(practice) == []


def test_a_subscription_that_cannot_be_had_is_an_alert_and_readings_come_all_the_same(
    practice: Practice,
) -> None:
    """The practice's administrator is told once a day; no stored text holds the address."""
    practice.authorize("", {**CLIENT, "callback_url": CALLBACK})
    practice.cloud.subscribes = False
    outcome = practice.pull()
    assert (outcome.problem, practice.held()) == ("", {"1/weight": ("final", True, 1)})
    (alert,) = _alerts(practice)
    assert (alert.rule, alert.level, alert.route) == ("notifications", "alert", ["practice_admin"])
    assert alert.value == "notifications cannot be subscribed to: appli 1, 2, 4, 54"
    practice.later(hours=1)
    practice.pull()
    practice.later(hours=20)
    practice.pull()
    assert [one.level for one in _alerts(practice)] == ["alert", "repeat"]
    with reading(practice.engine) as db:
        rows = [*db.exec(select(Delivery)).all(), *db.exec(select(PullAccount)).all()]
    assert "an-address" not in " ".join(str(row.model_dump()) for row in rows)


def test_without_an_address_nothing_is_asked_of_notifications(practice: Practice) -> None:
    """The service knows only the hash of its address: the practice gives it or does without."""
    assert practice.pull().problem == ""
    assert _notified(practice.cloud) == []


@pytest.mark.parametrize("body", [b"<html>", b'{"status": 0}', b'{"body": {}}'])
def test_an_answer_about_notifications_that_cannot_be_read_is_kept_nowhere(
    practice: Practice, body: bytes
) -> None:
    """It counts as not subscribed; the run goes on and no dead letter is made of it."""
    practice.authorize("", {**CLIENT, "callback_url": CALLBACK})
    practice.cloud.expires_in = 200_000  # the first request of the second run is about them
    practice.pull()
    practice.later(hours=21)
    practice.cloud.asked.clear()
    practice.cloud.faults = [(200, {}, body)]
    assert practice.pull().problem == ""
    assert _notified(practice.cloud)[:2] == [("list", "1"), ("subscribe", "1")]
    assert {one.state for one in practice.deliveries()} == {"read"}
