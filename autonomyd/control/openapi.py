"""The OpenAPI description of the routes. Built from the model's own types by pydantic, so that it can't lag behind."""

import re
from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter

from autonomyd._version import __version__
from autonomyd.control.resource import Route

ERROR = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {"message": {"type": "string"}, "hint": {"type": "string"}},
            "required": ["message"],
        }
    },
    "required": ["error"],
}


def document(routes: Sequence[Route]) -> dict[str, Any]:
    """An OpenAPI 3.1 document."""
    schemas: dict[str, Any] = {"Error": ERROR}
    paths: dict[str, Any] = {}
    for route in routes:
        path = route.path.replace(":path}", "}")
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, path, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "autonomyd", "version": __version__, "summary": "The control channel of the daemon"},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _operation(route: Route, path: str, schemas: dict[str, Any]) -> dict[str, Any]:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": _path_schema(name)}
        for name in re.findall(r"{(\w+)}", path)
    ]
    parameters += [
        {"name": name, "in": "query", "required": False, "schema": {"type": kind}} for name, kind in route.query.items()
    ]
    operation: dict[str, Any] = {
        "summary": route.summary,
        "operationId": f"{route.method.lower()}_{route.handler.__name__}_{len(path)}",
        "parameters": parameters,
        "responses": {
            "200": {
                "description": "success",
                "content": {"application/json": {"schema": _schema(route.answer, schemas)}},
            },
            "default": {
                "description": "what went wrong, and what to do",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
            },
        },
    }
    if route.body:
        properties = {name: {"type": [kind, "null"] if kind == "number" else kind} for name, kind in route.body.items()}
        operation["requestBody"] = {
            "content": {"application/json": {"schema": {"type": "object", "properties": properties}}}
        }
    return operation


def _path_schema(name: str) -> dict[str, Any]:
    return {"type": "string", "enum": ["start", "stop", "restart"]} if name == "verb" else {"type": "string"}


def _schema(answer: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    if answer is None:
        return {}
    found = TypeAdapter(answer).json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
    schemas.update(found.pop("$defs", {}))
    return found
