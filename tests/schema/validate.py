#!/usr/bin/env python3
"""Checks request bodies that the gateway writes against the schemas that the providers publish.

    IRONGATE_DUMP=/tmp/bodies cargo test -p gateway --test it codec   # writes the bodies
    tests/schema/validate.py /tmp/bodies [SCHEMAS]                    # needs the package jsonschema

SCHEMAS is the folder of the published schemas, by default ../shared/schemas of a folder above this one. Bodies of unknown
fields that a client sent itself are not held against the gateway. Ends with 1 when a body is refused, 0 with a line that
says "skipped" when there is nothing to check with.
"""

import collections
import json
import pathlib
import sys

UNKNOWN = ("additionalProperties", "unevaluatedProperties")


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(0)


def openapi(path, name):
    document = json.loads(path.read_text())
    return {"$ref": f"#/components/schemas/{name}", "components": document["components"]}


def discovery(path, name):
    """A discovery document as JSON schema: references name schemas, and formats are Google's."""

    def convert(node):
        if isinstance(node, list):
            return [convert(item) for item in node]
        if not isinstance(node, dict):
            return node
        if isinstance(node.get("$ref"), str):
            return {"$ref": f"#/schemas/{node['$ref']}"}
        out = {}
        for key, value in node.items():
            if key == "properties":
                out[key] = {inner: convert(schema) for inner, schema in value.items()}
            elif key in ("items", "additionalProperties"):
                out[key] = convert(value)
            elif key in ("type", "enum") and not (key == "type" and value == "any"):
                out[key] = value
        if out.get("type") == "string" and node.get("format") in ("int64", "uint64"):
            out["type"] = ["string", "integer"]
        if out.get("type") == "integer":
            out["type"] = ["integer", "string"]
        if out.get("type") == "object" and "properties" in out:
            out["additionalProperties"] = False
        return out

    document = json.loads(path.read_text())
    schemas = {key: convert(value) for key, value in document["schemas"].items()}
    return {"$ref": f"#/schemas/{name}", "schemas": schemas}


def deepest(error):
    """The most telling error of alternatives: the one that got furthest."""
    while error.context:
        error = max(error.context, key=lambda inner: (len(inner.absolute_path), -len(inner.schema_path)))
    return error


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    try:
        from jsonschema import Draft202012Validator
    except ImportError:
        skip("the Python package jsonschema is not installed")
    here = pathlib.Path(__file__).resolve()
    named = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None
    folders = [named] if named else [above / "shared/schemas" for above in here.parents]
    schemas = next((folder for folder in folders if folder.is_dir()), None)
    if schemas is None:
        skip("no folder with published schemas")
    published = {
        "openai-chat": lambda: openapi(schemas / "openai.openapi.json", "CreateChatCompletionRequest"),
        "anthropic": lambda: openapi(schemas / "anthropic.openapi.json", "BetaCreateMessageParams"),
        "gemini": lambda: discovery(schemas / "gemini.v1beta.discovery.json", "GenerateContentRequest"),
    }
    refused = 0
    for dialect, schema in published.items():
        bodies = pathlib.Path(sys.argv[1]) / f"{dialect}.jsonl"
        if not bodies.is_file():
            print(f"{dialect}: no bodies in {bodies}")
            continue
        validator = Draft202012Validator(schema())
        kinds, total, passed_on = collections.defaultdict(list), 0, 0
        for line in bodies.read_text().splitlines():
            record = json.loads(line)
            total += 1
            for error in validator.iter_errors(record["body"]):
                error = deepest(error)
                if error.validator in UNKNOWN:
                    continue
                # What a client of the same dialect wrote is passed on, newer than the schema or not.
                if record["name"].startswith(f"{dialect} "):
                    passed_on += 1
                    continue
                place = "/".join("*" if isinstance(step, int) else str(step) for step in error.absolute_path)
                kinds[(place, error.message[:160])].append(record["name"])
        print(f"{dialect}: {total} bodies, {sum(map(len, kinds.values()))} errors of {len(kinds)} kinds, {passed_on} passed on")
        for (place, message), names in sorted(kinds.items(), key=lambda item: -len(item[1])):
            print(f"  {len(names)}x /{place}: {message}\n      first: {names[0]}")
            refused += len(names)
    sys.exit(1 if refused else 0)


if __name__ == "__main__":
    main()
