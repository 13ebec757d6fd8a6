"""S10: clients set only what they may: a column is no field unless the command has it."""

import ast
import copy
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, get_args
from uuid import uuid4

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from intake_door import weight
from promised import Promised
from pydantic import BaseModel
from sqlalchemy import func, select
from sqlalchemy.engine import Engine
from sqlmodel import SQLModel
from starlette.testclient import TestClient

import rpm
from devices.delivery import UnreadableDeliveryError
from devices.reading import RejectedReading
from devices.vendor import VENDORS
from devices.vendors import generic
from rpm.access import PERMISSIONS, Actor, new_token, token_hash
from rpm.clock import Clock
from rpm.ids import uuid7
from rpm.settings import Settings
from rpm.store.engine import reading, transaction
from rpm.store.tables import METADATA
from rpm.store.tables.people import ApiToken
from rpm.web.app import create_app
from rpm.web.openapi import api_routes

COLUMNS = tuple(sorted({column.name for t in METADATA.sorted_tables for column in t.columns}))
"""Every column name of every table."""
VALUE_OF = {"organization_id": str(uuid4()), "audit_number": 1, "permissions": ["users:manage"]}
"""Values that would do harm, where the name suggests one; others get a text."""
GIVEN = {"code": "99490"}
"""Values of fields that the description gives no example of."""
WRITES = ("POST", "PUT", "PATCH", "DELETE")
Schema = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Write:
    """An operation that takes a JSON body, and a body of the right shape."""

    method: str
    path: str
    body: dict[str, Any]

    def address(self) -> str:
        """The path with an id that is nobody's in each place."""
        return "/".join(str(uuid4()) if "{" in part else part for part in self.path.split("/"))


def shaped(document: Schema, schema: Schema) -> Any:
    """A value of a schema's shape: examples first, optional fields left out but for lists."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return shaped(document, schema[word][0])
    if schema.get("examples"):
        return schema["examples"][0]
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    if schema.get("type") == "object":
        fields = schema.get("properties", {})
        required = schema.get("required", ())
        return {
            name: GIVEN.get(name) or shaped(document, part)
            for name, part in fields.items()
            if name in required or holds_objects(document, part)
        }
    if schema.get("type") == "array":
        return [shaped(document, schema["items"])]
    return _plain(schema)


def holds_objects(document: Schema, schema: Schema) -> bool:
    """Whether a field is a list of objects, which may be smuggled into as well."""
    items = schema.get("items", {})
    return "$ref" in items or items.get("type") == "object"


def _plain(schema: Schema) -> Any:
    by_format = {
        "uuid": str(uuid4()),
        "date": "2026-01-05",
        "date-time": "2026-01-05T14:00:00Z",
    }
    if schema.get("format") in by_format:
        return by_format[schema["format"]]
    if "64}" in schema.get("pattern", ""):
        return "0" * 64  # a digest
    plain = {
        "integer": max(int(schema.get("minimum", schema.get("exclusiveMinimum", 0))), 1),
        "boolean": False,
        "string": "some words",
    }
    return plain.get(schema.get("type", "string"), {})


def writes(app: FastAPI) -> list[Write]:
    """Every operation under /v1 that takes a body."""
    document = app.openapi()
    found = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if method.upper() in WRITES and "requestBody" in operation and path.startswith("/v1/"):
                schema = operation["requestBody"]["content"]["application/json"]["schema"]
                found.append(Write(method.upper(), path, shaped(document, schema)))
    return found


def places(body: Any) -> Iterator[tuple[Any, ...]]:
    """Paths of all objects in a body, the body itself first."""
    yield ()
    for name, value in body.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            yield (name, 0)


def smuggled(body: dict[str, Any], place: tuple[Any, ...], names: list[str]) -> dict[str, Any]:
    """The body with columns added in one object; those it has as fields stay as they are."""
    changed = copy.deepcopy(body)
    inside: Any = changed
    for step in place:
        inside = inside[step]
    for name in names:
        inside.setdefault(name, VALUE_OF.get(name, "smuggled"))
    return changed


def counts(engine: Engine) -> dict[str, int]:
    """How many rows each table has, but for the trail of accesses, which grows by requests."""
    with reading(engine) as db:
        return {
            name: db.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in METADATA.tables.items()
            if name != "access_record"
        }


@pytest.fixture
def application(settings: Settings, clock: Clock) -> FastAPI:
    """The application on the test's database."""
    return create_app(settings, clock)


@pytest.fixture
def headers(engine: Engine, actor: Actor, clock: Clock) -> dict[str, str]:
    """Headers of a token that may do everything."""
    token, now = new_token(), clock.now()
    row = ApiToken(
        organization_id=actor.organization_id,
        id=uuid7(now),
        user_id=actor.user_id,
        token_hash=token_hash(token),
        name="test",
        permissions=sorted(PERMISSIONS),
        created_at=now,
        expires_at=now.replace(year=2027),
    )
    with transaction(engine) as db:
        db.add(row)
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.promise("S10")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_column_is_no_field(
    engine: Engine, application: FastAPI, headers: dict[str, str], promised: Promised
) -> None:
    """Each column name added to each body, nested objects too, is refused and writes nothing."""
    fields = fields_by_place(application)
    tried = 0
    with TestClient(application) as client:
        before = counts(engine)
        for write in writes(application):
            for place in places(write.body):
                foreign = [
                    one for one in COLUMNS if one not in fields[write.method, write.path, place]
                ]
                draw = Random(f"{write.path}{place}")
                alone = draw.sample(foreign, promised.count(len(foreign), 4))
                for names in (*([one] for one in alone), foreign):
                    body = smuggled(write.body, place, names)
                    answer = client.request(
                        write.method, write.address(), json=body, headers=headers
                    )
                    assert answer.status_code == 422, (write, names)
                    codes = {one["code"] for one in answer.json()["errors"]}
                    assert codes == {"extra_forbidden"}, (write, names, answer.text)
                    tried += 1
        assert counts(engine) == before
    promised.reached(f"{tried:,} bodies with columns that are no fields: 0 effects")


def fields_by_place(app: FastAPI) -> dict[tuple[str, str, tuple[Any, ...]], set[str]]:
    """The fields that each object of each body really has, by method, path and place."""
    document = app.openapi()
    found = {}
    for write in writes(app):
        operation = document["paths"][write.path][write.method.lower()]
        schema = resolved(
            document, operation["requestBody"]["content"]["application/json"]["schema"]
        )
        for place in places(write.body):
            inside = schema
            if place:
                inside = resolved(document, schema["properties"][place[0]]["items"])
            assert inside.get("additionalProperties") is False, write
            found[write.method, write.path, place] = set(inside["properties"])
    return found


def resolved(document: Schema, schema: Schema) -> Schema:
    """The schema that a reference names."""
    if "$ref" in schema:
        return resolved(
            document, document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        )
    return schema


@pytest.mark.promise("S10")
def test_a_delivery_sets_no_column(promised: Promised) -> None:
    """A sent reading, component or batch with a column's name in it is not read as a reading."""
    known = set(generic._SentReading.model_fields) | set(generic._SentComponent.model_fields)
    tried = 0
    for name in COLUMNS:
        if name in known:
            continue
        value = VALUE_OF.get(name, "smuggled")
        sent = weight("r-1")
        (one,) = VENDORS["generic"].parse(json.dumps({**sent, name: value}).encode(), {}).items
        assert isinstance(one, RejectedReading), name
        parts = [{**sent["components"][0], name: value}]
        (one,) = (
            VENDORS["generic"].parse(json.dumps({**sent, "components": parts}).encode(), {}).items
        )
        assert isinstance(one, RejectedReading), name
        with pytest.raises(UnreadableDeliveryError):
            VENDORS["generic"].parse(json.dumps({"readings": [sent], name: value}).encode(), {})
        tried += 3
    promised.reached(f"{tried:,} deliveries with columns that are no fields: 0 read")


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Every model that an annotation leads to."""
    for part in get_args(annotation):
        yield from models_in(part)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for one in annotation.model_fields.values():
            yield from models_in(one.annotation)


def body_models(route: APIRoute) -> set[type[BaseModel]]:
    """The models that a route reads from the body, query or form."""
    dependant = route.dependant
    taken = [*dependant.body_params, *dependant.query_params]
    return {model for one in taken for model in models_in(one.field_info.annotation)}


@pytest.mark.promise("S10")
def test_no_table_is_an_input(promised: Promised) -> None:
    """No route takes a table's class, every model it takes refuses more, no command is a table."""
    routes = list(api_routes(create_app(Settings())))
    models = {model for _, route in routes for model in body_models(route)}
    assert len(models) > 20
    assert not [model for model in models if issubclass(model, SQLModel)]
    assert all(model.model_config.get("extra") == "forbid" for model in models)
    for path in Path(rpm.__file__).parent.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for one in ast.walk(tree):
            if isinstance(one, ast.ClassDef):
                bases = {ast.unparse(base) for base in one.bases}
                assert not ({"Command"} & bases and {"Row", "Fact", "TenantRow"} & bases), one.name
    promised.reached(f"{len(models)} models of {len(routes)} operations: 0 table classes")
