#!/usr/bin/env python3
"""Registers new schemas of 1 MB without end, one writer per format: storm.py PORT. Prints a line per registration.

Each writer adds versions to one subject, so that every registration parses a megabyte and compares two.
"""
import http.client
import itertools
import json
import sys
import threading
import time

BYTES = 1_000_000


def avro(version):
    field = '{"name":"field_%06d","type":["null","string"],"default":null,"doc":"what field %06d is for"}'
    fields = [field % (n, n) for n in range(BYTES // 98)]
    own = '{"name":"added_%06d","type":["null","long"],"default":null}' % version
    return '{"type":"record","name":"Storm","namespace":"bench","fields":[%s,%s]}' % (",".join(fields), own)


def protobuf(version):
    fields = "".join("  string field_%06d_with_a_rather_long_name = %d;\n" % (n, n + 1) for n in range(100))
    messages = "".join("message Message%06d {\n%s}\n" % (n, fields) for n in range(BYTES // 5400))
    return 'syntax = "proto3";\npackage bench;\n%smessage Own { string added_%06d = %d; }\n' % (messages, version, version + 1)


def json_schema(version):
    one = '"property_%06d":{"type":"string","minLength":1,"description":"what property %06d is for"}'
    properties = [one % (n, n) for n in range(BYTES // 96)]
    own = '"bounded":{"type":"integer","maximum":%d}' % (1000 + version)
    return '{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","properties":{%s,%s}}' % (",".join(properties), own)


def write(port, name, text):
    """Registers version after version; the text is made once, its number put in."""
    body = json.dumps({"schemaType": name, "schema": text(777777)})
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    path = f"/subjects/storm-{name.lower()}-value/versions"
    for version in itertools.count(1):
        own = body.replace("added_777777 = 777778", f"added_{version:06d} = {version + 1}")
        own = own.replace("added_777777", f"added_{version:06d}").replace("778777", str(1000 + version))
        began = time.monotonic()
        connection.request("POST", path, own, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        said = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{name}: {answer.status} {said[:300]!r}")
        print(f"{name} {(time.monotonic() - began) * 1000:.0f}", flush=True)


if __name__ == "__main__":
    for name, text in (("AVRO", avro), ("PROTOBUF", protobuf), ("JSON", json_schema)):
        threading.Thread(target=write, args=(int(sys.argv[1]), name, text)).start()
