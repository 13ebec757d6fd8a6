"""The walk of the demo's claims: from a closed month to money, through actions and real SFTP.

Owns the order of the steps and what each must come to. Does not own the practice's months
(``play``), the rehearsal clearinghouse (``loopback``) nor the actions. Persons act: the biller, and
the administrator where an agreement is recorded. Everything is told as it happens.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from billing.claims.denial import Work
from billing.claims.sending import Step
from billing.finding import Severity
from billing.money import cents_to_text
from rpm.access import Actor
from rpm.actions.appeal_claim import AppealClaim, appeal_claim, draft_appeal
from rpm.actions.assemble_claims import AssembleClaims, MadeClaims, assemble_claims
from rpm.actions.claim_events import current_claims
from rpm.actions.correct_claim import CorrectClaim, correct_claim
from rpm.actions.denial_queue import Queue, WorkItem, denial_queue
from rpm.actions.manage_clearinghouse import (
    AddClearinghouse,
    ChangeUsage,
    RetireClearinghouse,
    add_clearinghouse,
    change_usage,
    retire_clearinghouse,
)
from rpm.actions.practice_day import practice_today
from rpm.actions.release_claims import ReleaseClaims, release_claims
from rpm.actions.try_clearinghouse import make_test_file
from rpm.actions.verify import verify_record
from rpm.actions.write_claim_file import write_claim_file
from rpm.claim_exchange import Exchange, Fetched, exchange_with, fetch_files, send_file
from rpm.clock import zone
from rpm.demo.loopback.house import House
from rpm.demo.loopback.server import Listening, listening
from rpm.demo.play import Demo, actor_of
from rpm.demo.practice import ADMIN, BILLER, ZONE
from rpm.errors import NotReady
from rpm.keys import load_keys
from rpm.store.engine import reading, transaction
from rpm.store.queries.answers import POSTED
from rpm.store.queries.claims import ClaimFilter, listed_claims
from rpm.store.queries.people import actor_of_user
from rpm.store.scope import Scope
from rpm.store.tables.answers import ReceivedFile, Remittance
from rpm.store.tables.claims import ClaimFile

MONTH, CLOSED_BY = "2026-01", date(2026, 2, 3)
"""The month that is billed, and the evening by which it is closed."""
KEY = "rehearsal"
PASSWORD = "rehearsal-of-the-demo-only"  # noqa: S105 - of a server on 127.0.0.1 that lives minutes
_PAID_AFTER = timedelta(days=14)
Tell = Callable[[str], None]


@dataclass
class Walk:
    """A walk through a demo whose month is closed; ``missed`` is what came out otherwise."""

    demo: Demo
    month: str
    tell: Tell
    house: House
    server: Listening
    missed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.exchange: Exchange = exchange_with(self.demo.engine, self.demo.settings)
        self.scope = Scope.of(actor_of(self.demo))
        with reading(self.demo.engine) as db:
            self.biller = actor_of_user(db, self.scope, BILLER.email)
            self.admin = actor_of_user(db, self.scope, ADMIN.email)

    def go(self) -> None:
        """Every step, in order."""
        made = self._assembled()
        self._released([row.id for row in made.claims])
        self._agreed()
        self._sent()
        self._paid()
        queue = self._queue()
        corrected = self._corrected(queue)
        self._appealed(queue, corrected)
        self._sent()
        self._paid()
        self._came_to(corrected)
        ended = RetireClearinghouse(key=KEY, reason="the rehearsal is over")
        self.do(retire_clearinghouse, self.admin, ended)

    def expect(self, holds: bool, what: str) -> None:  # noqa: FBT001 - what is expected
        """Note what came out otherwise."""
        if not holds:
            self.missed.append(what)

    def do(self, action: Callable[..., Any], actor: Actor, command: Any) -> Any:
        """One action in a transaction of its own."""
        with transaction(self.demo.engine) as db:
            return action(db, actor, self.demo.clock.now(), command)

    def _assembled(self) -> MadeClaims:
        made: MadeClaims = self.do(assemble_claims, self.biller, AssembleClaims(month=self.month))
        charged = cents_to_text(sum(row.charge_cents for row in made.claims))
        self.tell(f"Assembled {self.month}: {len(made.claims)} claims, charges {charged}")
        held = Counter(
            finding.code for one in made.preview.assembled.held for finding in one.findings
        )
        for code, count in sorted(held.items()):
            self.tell(f"  held back for {code}: {count}")
        self.expect(bool(made.claims), "claims were assembled")
        return made

    def _released(self, claim_ids: Sequence[UUID]) -> None:
        decided = self.do(release_claims, self.biller, ReleaseClaims(claim_ids=list(claim_ids)))
        self.tell(f"Scrubbed and released by {BILLER.name}: {len(decided.done)}")
        for one in decided.refused:
            self.tell(f"  not released: {', '.join(finding.code for finding in one.findings)}")
        self.expect(len(decided.done) == len(claim_ids), "all claims were released")

    def _agreed(self) -> None:
        command = AddClearinghouse(
            key=KEY,
            shipped="loopback",
            sender_id="CEDARGROVE",
            port=self.server.port,
            fingerprint=self.server.fingerprint,
            password=self.server.password,
            reason="rehearsal of the demo",
        )
        ring, now = load_keys(self.demo.settings).field_encryption, self.demo.clock.now()
        with transaction(self.demo.engine) as db:
            add_clearinghouse(db, self.admin, now, ring, command)
            test = make_test_file(db, self.admin, now, KEY)
        sent = send_file(self.exchange, self.admin, test.id)
        self.tell(f"Test file over SFTP to {self.server.fingerprint}: {sent.step}")
        if sent.step != Step.SENT:
            raise NotReady(f"the test file was not sent: {sent.problem}")
        self._fetched()
        told = ChangeUsage(key=KEY, usage="P", reason="the test file was accepted")
        self.do(change_usage, self.admin, told)

    def _sent(self) -> None:
        with transaction(self.demo.engine) as db:
            file = write_claim_file(db, self.biller, self.demo.clock.now(), KEY)
        if not isinstance(file, ClaimFile):
            raise NotReady(f"no file could be written: {', '.join(one.code for one in file)}")
        charged = cents_to_text(file.charge_cents)
        self.tell(f"837P written: {file.claim_count} claims, {charged}, {len(file.content)} bytes")
        sent = send_file(self.exchange, self.biller, file.id)
        self.tell(f"  over SFTP as {file.name}: {sent.step}")
        self.expect(sent.step == Step.SENT, "the file was sent")
        done = self._fetched()
        self.expect(len(done.new) == 2, "a 999 and a 277CA came back")

    def _fetched(self) -> Fetched:
        self.server.settle()
        done = fetch_files(self.exchange, self.biller, KEY, at_once=True)
        with reading(self.demo.engine) as db:
            for posted in done.posted:
                self.expect(posted.state == POSTED, "every answer is sound")
                kind = self.scope.get(db, ReceivedFile, posted.file_id).kind
                counts = ", ".join(f"{name} {count}" for name, count in posted.counts.items())
                self.tell(f"  {kind} fetched and {posted.state}: {counts or 'nothing of claims'}")
        for problem in done.problems:
            self.tell(f"  problem: {problem}")
        self.expect(not done.problems, "fetching went well")
        return done

    def _paid(self) -> None:
        self.demo.clock.advance(self.demo.clock.now() + _PAID_AFTER)
        for name, content in self.house.pay().items():
            (self.server.root / "from-clearinghouse" / name).write_bytes(content)
        self.tell(f"On {self.today()} the payers pay")
        self._fetched()
        again = fetch_files(self.exchange, self.biller, KEY, at_once=True)
        self.expect(not again.new, "fetching again brings nothing")
        with reading(self.demo.engine) as db:
            for one in self.scope.all_of(db, Remittance):
                self.expect(one.difference_cents == 0, "every payment is explained to the cent")

    def _queue(self) -> Queue:
        with reading(self.demo.engine) as db:
            queue = denial_queue(db, Scope.of(self.biller), self.today())
        self.tell(f"To work on: {len(queue.items)}, {cents_to_text(queue.at_stake_cents)} at stake")
        for item in queue.items:
            reasons = ", ".join(reason.adjustment for reason in item.denied.reasons)
            due = item.deadlines.appeal or "not recorded"
            self.tell(
                f"  {item.claim.control_number}: {item.denied.work}"
                f"{f' ({reasons})' if reasons else ''},"
                f" {cents_to_text(item.denied.at_stake_cents)}, appeal by {due}"
            )
        denied = [one for one in queue.items if one.denied.work is Work.DENIED]
        self.expect(len(denied) >= 2, "two claims were denied at least")
        return queue

    def _corrected(self, queue: Queue) -> list[WorkItem]:
        """The rejected claims, and one that was denied."""
        rejected = [one for one in queue.items if one.denied.work is Work.REJECTED]
        denied = [one for one in queue.items if one.denied.work is Work.DENIED]
        chosen = [*rejected, *denied[:1]]
        for item in chosen:
            command = CorrectClaim(
                claim_id=item.claim.id,
                reason="authorization found on file",
                prior_authorization="AUTH2026",
            )
            version = self.do(correct_claim, self.biller, command)
            self.tell(
                f"Corrected {item.claim.control_number}: attempt {version.attempt},"
                f" frequency {version.frequency}"
            )
        if chosen:
            self._released([item.claim.id for item in chosen])
        return chosen

    def _appealed(self, queue: Queue, corrected: Sequence[WorkItem]) -> None:
        done = {item.claim.id for item in corrected}
        denied = [one for one in queue.items if one.denied.work is Work.DENIED]
        for item in [one for one in denied if one.claim.id not in done][:1]:
            now = self.demo.clock.now()
            with reading(self.demo.engine) as db:
                draft = draft_appeal(db, Scope.of(self.biller), now, item.claim.id)
            letter = draft.letter.replace("[CHECK]", "")
            command = AppealClaim(claim_id=item.claim.id, letter=letter, sent_on=self.today())
            appeal = self.do(appeal_claim, self.biller, command)
            self.tell(
                f"Appealed {item.claim.control_number}: level {appeal.level}, letter and packet,"
                f" {len(appeal.packet)} bytes of PDF, {len(draft.parts)} parts"
            )

    def _came_to(self, corrected: Sequence[WorkItem]) -> None:
        with reading(self.demo.engine) as db:
            claims = listed_claims(db, self.scope, ClaimFilter())
            ids = [item.claim.id for item in corrected]
            now_paid = current_claims(db, self.scope, ids)
            findings = verify_record(db, actor_of(self.demo))
        counts = Counter(str(one.standing.status) for one in claims)
        self.tell("Where the claims stand: " + ", ".join(f"{n} {s}" for s, n in counts.items()))
        paid = sum(one.standing.paid_cents for one in claims)
        patient = sum(one.standing.patient_cents for one in claims)
        charged = sum(one.charge_cents for one in claims)
        self.tell(
            f"Charged {cents_to_text(charged)}, paid {cents_to_text(paid)},"
            f" patients owe {cents_to_text(patient)}"
        )
        errors = [one.code for one in findings if one.severity is Severity.ERROR]
        self.tell(f"The record verifies with {len(errors)} errors")
        self.expect(
            all(one.standing.status == "paid" for one in now_paid.values()),
            "what was corrected is paid",
        )
        self.expect(counts["appealed"] == 1, "one claim is appealed")
        self.expect(not errors, "the record verifies")

    def today(self) -> date:
        """The practice's day."""
        with reading(self.demo.engine) as db:
            return practice_today(db, self.scope, self.demo.clock.now())


@contextmanager
def rehearsing(demo: Demo, month: str, tell: Tell) -> Iterator[Walk]:
    """The walk of a demo's month, with a clearinghouse on this machine at work.

    Its folders are new each time: an earlier rehearsal's files would have the same names.
    """

    def local() -> datetime:
        return demo.clock.now().astimezone(zone(ZONE)).replace(tzinfo=None)

    house = House(local, pays=False)
    with (
        TemporaryDirectory(dir=demo.folder, prefix="clearinghouse-") as folder,
        listening(Path(folder), house.answer, password=PASSWORD) as server,
    ):
        yield Walk(demo, month, tell, house, server)
