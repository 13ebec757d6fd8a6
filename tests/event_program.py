"""A sender that dies between sending an event and recording that it did; run as a process.

Arguments: database, organization, the receiver's host, and the instant.
"""

import os
import signal
import sys
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from rpm.access import system_actor
from rpm.actions.send_events import Sender, send_due
from rpm.keys import load_keys
from rpm.outbound import Told, tell
from rpm.outbound_address import Receiver
from rpm.store.engine import make_engine
from tests.conftest import settings_for


def tell_and_die(receiver: Receiver, headers: Mapping[str, str], body: bytes) -> Told:
    """Send, and be killed before anything is recorded."""
    if tell(receiver, headers, body).is_taken:
        os.kill(os.getpid(), signal.SIGKILL)
    raise RuntimeError


def main() -> None:
    """Send what is due."""
    database, organization, host, now = sys.argv[1:]
    settings = settings_for(database)
    sender = Sender(load_keys(settings).field_encryption, [host], tell_and_die)
    actor = system_actor(UUID(organization), "test")
    send_due(make_engine(settings), actor, datetime.fromisoformat(now), sender)


if __name__ == "__main__":
    main()
