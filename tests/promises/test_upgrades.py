"""R20: the database of each earlier release opens, migrates and verifies, with all its rows."""

from pathlib import Path

import pytest
from copying import another_place, silent
from promised import Promised
from released import held, opened, releases
from sqlalchemy.engine import make_url

from rpm.actions.verify_all import verify_all
from rpm.audit import Anchor
from rpm.settings import Settings
from rpm.store.append_only import append_only_tables
from rpm.store.engine import reading
from rpm.store.migrations import at_head, migrate
from rpm.store.snapshot import holdings


@pytest.mark.promise("R20")
@pytest.mark.parametrize("release", releases(), ids=lambda release: release.name)
def test_a_released_database_keeps_its_history(
    release: Path, owner_settings: Settings, tmp_path: Path, promised: Promised
) -> None:
    """It holds what it was released with, and after migration the same facts, which verify."""
    told = held(release)
    with (
        another_place(owner_settings, tmp_path) as place,
        opened(release, place, tmp_path) as engine,
    ):
        with reading(engine) as db:
            before = holdings(db.connection())
        assert before.schema_revision == told["schema_revision"]
        assert before.rows == {**told["rows"], "alembic_version": 1}
        migrate(engine)
        assert at_head(engine)
        with reading(engine) as db:
            after = holdings(db.connection())
            assert verify_all(db, after.anchors, "test", silent) == []
    anchors = {str(one): anchor.as_json() for one, anchor in after.anchors.items()}
    assert anchors == told["anchors"]
    facts = {table.name for table in append_only_tables()} & before.rows.keys()
    assert {name: after.rows[name] for name in facts} == {name: before.rows[name] for name in facts}
    name = make_url(owner_settings.database_url).get_backend_name()
    rows = sum(told["rows"].values())
    promised.reached(f"{name}: version {release.name} opens, migrates and verifies, {rows} rows")


def test_a_release_that_lost_its_end_is_noticed(owner_settings: Settings, tmp_path: Path) -> None:
    """The kept anchors are not just what the database says of itself."""
    (release, *_) = releases()
    with (
        another_place(owner_settings, tmp_path) as place,
        opened(release, place, tmp_path) as engine,
    ):
        migrate(engine)
        with reading(engine) as db:
            anchors = {one: Anchor(10_000, "0" * 64) for one in holdings(db.connection()).anchors}
            codes = [one.code for one in verify_all(db, anchors, "test", silent)]
    assert codes == ["E_CHAIN_CUT"] * len(anchors)
