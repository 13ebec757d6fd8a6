"""A program that sends one file to a clearinghouse, to be killed on the way.

    python -m send_program DATABASE FILE_ID ORGANIZATION_ID FOLDER

It goes by the clock that the exchange's tests stand at.
"""

import sys
from pathlib import Path
from uuid import UUID

from conftest import settings_for
from exchange_bench import Hour, key_ring

from rpm.access import system_actor
from rpm.claim_exchange import Exchange, send_file
from rpm.store.engine import make_engine


def main(database: str, file_id: str, organization_id: str, folder: str) -> None:
    """Send it, and tell what came of it."""
    engine = make_engine(settings_for(f"sqlite:///{database}"))
    actor = system_actor(UUID(organization_id), "tests")
    exchange = Exchange(engine, Hour(), key_ring(), Path(folder))
    sys.stdout.write(send_file(exchange, actor, UUID(file_id)).step)


if __name__ == "__main__":
    main(*sys.argv[1:])
