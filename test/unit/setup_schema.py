"""config/sphex.schema.json, the reader and doc/configuration.md say the same.

Usage: setup_schema.py SETUP_VERDICTS, from the source root. Exit status 77 without python3-jsonschema.

 * The examples are accepted by the schema and by the reader.
 * Every entry of setup_mistakes.json that is not marked "schema": false is refused by the schema (the reader
   is held to all of them by setup_mistakes.c).
 * Each value of everything.json is replaced by each of VALUES and by the bounds the schema gives its key, each
   key is left out and a strange one added: what the schema refuses the reader refuses; what only the reader
   refuses is what a schema cannot say.
 * Every key and every default of the schema stands in the document, and the document's example is
   everything.json.
"""

import copy
import json
import re
import subprocess
import sys

try:
    import jsonschema
except ImportError:
    print("skipped: no python3-jsonschema")
    sys.exit(77)

EXAMPLES = ["bare-metal", "everything", "forward", "mirror", "replay", "router", "veth-xdp", "vm"]
VALUES = [None, True, -1, 0, 63, 4096, 65536, 10**13, 0.0001, 2.5, "", "in", "default", "drop", "tcp", "80-90",
          "::/0", "0x1", "a\nb", "02:00:00:00:00:03", [], {"x": 1}]

# Parts of messages about what a schema cannot say.
SEMANTIC = ["CPUs; an array of", "a name that no port before it has", "uses the same", "no port receives",
            "the name of a port that", "never sends", "never receives", "the name of an action", "one family in a rule",
            "contradicts the family", "those need IPv4 or IPv6", "an order above", "a range such as", "prefix such as",
            "bits beyond the prefix", "no action is defined", "no order is left", "has a filter for each action",
            "a user of this machine", "names a path of", "is no address: write", "is not a number of 0 to",
            "single station", "one station", "are broadcast addresses", "the address is there already",
            "one route expected", "route:1:", "leaves by port"]

failures = 0


def check(good, text):
    global failures
    if not good:
        failures += 1
        print("failed:", text)


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def reader_says(documents):
    """The reader's line for each document."""
    lines = "".join(json.dumps(document) + "\n" for document in documents)
    run = subprocess.run([sys.argv[1]], input=lines, capture_output=True, text=True, check=True, timeout=60)
    return run.stdout.splitlines()


def places(value, path=()):
    """Paths of everything inside value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inside in items:
        yield path + (key,)
        yield from places(inside, path + (key,))


def changed(document, path, change):
    result = copy.deepcopy(document)
    inside = result
    for key in path[:-1]:
        inside = inside[key]
    change(inside, path[-1])
    return result


def bounds_of(schema):
    """Key -> the values at and just beyond its bounds."""
    bounds = {}
    for key, meaning in keys_of(schema, schema["$defs"]):
        for part in [meaning] + meaning.get("oneOf", []):
            for bound, step in (("minimum", -1), ("maximum", 1)):
                if bound in part:
                    bounds.setdefault(key, set()).update((part[bound], part[bound] + step))
    return bounds


def mutants(document, bounds):
    def put(value):
        return lambda inside, key: inside.__setitem__(key, value)

    def remove(inside, key):
        del inside[key]

    def add(inside, key):
        if isinstance(inside[key], dict):
            inside[key]["strange"] = 1

    for path in places(document):
        yield changed(document, path, remove)
        yield changed(document, path, add)
        for value in VALUES + sorted(bounds.get(path[-1], ())):
            yield changed(document, path, put(value))


def check_examples(validator):
    paths = ["config/examples/%s.json" % name for name in EXAMPLES]
    for path in paths:
        for error in validator.iter_errors(load(path)):
            check(False, "%s: the schema says %s" % (path, error.message))
    run = subprocess.run([sys.argv[1]] + paths, capture_output=True, text=True, check=True, timeout=60)
    check(run.stdout == "ok\n" * len(paths), run.stdout)


def check_mistakes(validator):
    table = load("test/unit/setup_mistakes.json")
    check(validator.is_valid(table["base"]), "base of setup_mistakes.json")
    for entry in table["mistakes"]:
        if "text" in entry:
            continue
        document = {**table["base"], **entry["with"]}
        document = {key: value for key, value in document.items() if value is not None}
        check(validator.is_valid(document) == (entry.get("schema") is False),
              "%s: the schema %s it" % (json.dumps(entry), "accepts" if validator.is_valid(document) else "refuses"))


def check_mutants(validator, schema):
    document = load("config/examples/everything.json")
    document["rules"]["list"] = [rule for rule in document["rules"]["list"] if "classbench" not in rule]
    document["routes"] = [route for route in document["routes"] if "file" not in route]
    made = list(mutants(document, bounds_of(schema)))
    accepted = refused = 0
    for mutant, said in zip(made, reader_says(made), strict=True):
        valid = validator.is_valid(mutant)
        accepted += said == "ok"
        refused += not valid
        if said == "ok":
            check(valid, "the reader accepts, the schema refuses: " + json.dumps(mutant))
        elif valid:
            check(any(part in said for part in SEMANTIC), "the schema accepts, the reader says: " + said)
    print("%d documents, %d accepted by the reader, %d refused by the schema" % (len(made), accepted, refused))
    check(accepted > 100 and refused > 1000, "too few documents of one kind")


def keys_of(schema, definitions):
    """Every key that a configuration may have, with its meaning; references are followed one step."""
    if isinstance(schema, dict):
        for key, value in schema.get("properties", {}).items():
            if isinstance(value, dict) and "$ref" in value:
                value = {**definitions[value["$ref"].removeprefix("#/$defs/")], **value}
            yield key, value
    for value in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from keys_of(value, definitions)


def check_document(schema):
    with open("doc/configuration.md", encoding="utf-8") as file:
        text = file.read()
    for key, meaning in keys_of(schema, schema["$defs"]):
        rows = re.findall(r"^\| `%s` \|.*$" % re.escape(key), text, re.MULTILINE)
        if meaning.get("type") == "object" or key in ("ports", "actions", "list", "routes", "neighbours"):
            check("`%s`" % key in text, "doc/configuration.md does not explain " + key)
            continue
        check(rows, "doc/configuration.md has no row for " + key)
        if "default" in meaning:
            default = json.dumps(meaning["default"])
            check(any("`%s`" % default in row for row in rows), "default %s of %s is in no row" % (default, key))
        for bound in ("minimum", "maximum"):
            if bound in meaning and meaning[bound] < 2**53:
                check(any(re.search(r"\b%s\b" % meaning[bound], row) for row in rows),
                      "%s %s of %s is in no row" % (bound, meaning[bound], key))
    example = re.search(r"```json\n(\{\n  \"memory\".*?)```", text, re.DOTALL)
    with open("config/examples/everything.json", encoding="utf-8") as file:
        check(example is not None and example.group(1) == file.read(), "the document's example is not everything.json")


def main():
    schema = load("config/sphex.schema.json")
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    check_examples(validator)
    check_mistakes(validator)
    check_mutants(validator, schema)
    check_document(schema)
    sys.exit(1 if failures else 0)


main()
