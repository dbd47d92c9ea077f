"""Writes src/modelday/types.py: the types of the API's bodies, from docs/openapi.json.

usage: python3 clients/python/generate.py [--check]

The types are `TypedDict`s: a body stays the dict that it is in JSON, fields that a later server adds do no harm, and
nothing is needed at run time. Programs that generate models of other kinds bring libraries with them, of which the
client would need a matching version; this page of code needs Python alone.
"""

from __future__ import annotations

import json
import keyword
import sys
import textwrap
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
DOCUMENT = ROOT.parent.parent / "docs/openapi.json"
OUTPUT = ROOT / "src/modelday/types.py"
WIDTH = 108

HEAD = '''"""Types of the API's bodies. Made by generate.py from docs/openapi.json; do not edit."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict
'''

Schema = dict[str, Any]


def name_of(reference: str) -> str:
    return reference.rsplit("/", 1)[1]


def type_of(schema: Schema) -> str:
    """The type of a value, as Python writes it."""
    if "$ref" in schema:
        return name_of(schema["$ref"])
    if "enum" in schema:
        return f"Literal[{', '.join(repr(value) for value in schema['enum'])}]"
    if "allOf" in schema:
        # Of the parts one has the type; the others describe it.
        return type_of(next((part for part in schema["allOf"] if part.get("type") != "object"), {}))
    if "oneOf" in schema:
        return union(type_of(part) for part in schema["oneOf"])
    kinds = schema.get("type")
    if isinstance(kinds, list):
        return union(type_of({**schema, "type": kind}) for kind in kinds)
    if kinds == "array":
        return f"list[{type_of(schema.get('items', {}))}]"
    simple = {
        "string": "str",
        "integer": "int",
        "number": "float",
        "boolean": "bool",
        "null": "None",
        "object": "dict[str, Any]",
    }
    return simple.get(kinds or "", "Any")


def union(types: Any) -> str:
    distinct = list(dict.fromkeys(part for kind in types for part in kind.split(" | ")))
    if "Any" in distinct:
        return "Any"
    return " | ".join(sorted(distinct, key=lambda kind: kind == "None"))


def fields_of(schema: Schema, schemas: dict[str, Schema]) -> tuple[dict[str, Schema], set[str]]:
    """The properties of an object with those of its parts, and which of them are always there."""
    if "$ref" in schema:
        return fields_of(schemas[name_of(schema["$ref"])], schemas)
    fields, required = dict(schema.get("properties", {})), set(schema.get("required", []))
    for part in schema.get("allOf", []):
        more, always = fields_of(part, schemas)
        fields |= more
        required |= always
    return fields, required


def comment(text: str, indent: str) -> list[str]:
    text = " ".join(text.split())
    return textwrap.wrap(text, WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ")


def definition(name: str, schema: Schema, schemas: dict[str, Schema]) -> list[str]:
    fields, required = fields_of(schema, schemas)
    about = comment(schema.get("description", ""), "")
    if not fields:
        if schema.get("type") == "object":
            return [*about, f"{name}: TypeAlias = dict[str, Any]"]
        kind = type_of(schema)
        # A name may be of a type further down, so that the type is a text.
        return [*about, f'{name}: TypeAlias = "{kind}"']
    as_class = all(field.isidentifier() and not keyword.iskeyword(field) for field in fields)
    lines = [f"class {name}(TypedDict):"] if as_class else [f"{name} = TypedDict(", f'    "{name}",', "    {"]
    indent = "    " if as_class else "        "
    if as_class and schema.get("description"):
        text = textwrap.wrap(" ".join(schema["description"].split()), WIDTH - 8)
        lines += [f'    """{text[0]}' + ("" if len(text) > 1 else '"""')]
        lines += [f"    {line}" for line in text[1:]] + (['    """'] if len(text) > 1 else []) + [""]
    for field in sorted(fields):
        kind = type_of(fields[field])
        kind = kind if field in required else f"NotRequired[{kind}]"
        lines += comment(fields[field].get("description", ""), indent)
        lines.append(f"{indent}{field}: {kind}" if as_class else f'{indent}"{field}": "{kind}",')
    return lines if as_class else [*about, *lines, "    },", ")"]


def generated() -> str:
    schemas = json.loads(DOCUMENT.read_text())["components"]["schemas"]
    parts = ["\n".join(definition(name, schemas[name], schemas)) for name in sorted(schemas)]
    return HEAD + "\n\n" + "\n\n\n".join(parts) + "\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        if OUTPUT.read_text() != generated():
            sys.exit(f"{OUTPUT} is old: run python3 clients/python/generate.py")
    else:
        OUTPUT.write_text(generated())
