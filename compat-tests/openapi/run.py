#!/usr/bin/env python3
"""Sends what schemathesis makes of `api-spec/schema-registry.yaml` to `sluice serve` on real Postgres and Kafka.

Whatever is sent: no 5xx, no status, media type or body that the specification does not know. The subject that the
specification takes for its examples exists, so that reads and checks find something.

    run.py [--thorough]     also every boundary of every parameter and field (two minutes more)
Needs SLUICE_TEST_DATABASE_URL and SLUICE_TEST_BOOTSTRAP_SERVERS, as `make test` sets them. What failed can be repeated:
its output has the request as a curl line; the seed stays the same.
"""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from harness import postgres, processes  # noqa: E402
from harness.processes import CACHE, ROOT, Failed  # noqa: E402
from harness.sluice import Sluice  # noqa: E402

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
SPECIFICATION = os.path.join(ROOT, "api-spec", "schema-registry.yaml")
# JSON Schema, because the text of a schema alone is answered under a JSON type, and is JSON in this language.
ORDER = json.dumps({"type": "object", "title": "Order", "properties": {"id": {"type": "integer"}}})


def needed(variable):
    value = os.environ.get(variable)
    if not value:
        raise Failed(f"{variable} is not set: run `make test`")
    return value


def main(arguments):
    processes.end_on_signals()
    home = os.path.join(os.environ.get("SLUICE_TEST_RUN_DIR") or os.path.join(CACHE, "run", str(os.getpid())), "openapi")
    os.makedirs(home, exist_ok=True)
    database = postgres.new_database(needed("SLUICE_TEST_DATABASE_URL"), "openapi")
    bootstrap = needed("SLUICE_TEST_BOOTSTRAP_SERVERS").split(",")[0]
    server = Sluice(home, "--database-url", database, "--bootstrap-servers", bootstrap).begin().ready()
    status, body = server.request("POST", f"{server.registry}/subjects/orders-value/versions",
                                  {"schemaType": "JSON", "schema": ORDER})
    if status != 200:
        raise Failed(f"the example could not be registered: {status} {body}")
    # One worker: up to Python 3.12 threads that parse Python at the same time, as the generator does to show its own
    # code, break each other ("AST constructor recursion depth mismatch", python/cpython#106905); and requests in one
    # order find the same server each time.
    phases = "examples,coverage,fuzzing" if "--thorough" in arguments else "examples,fuzzing"
    command = [os.path.join(os.path.dirname(sys.executable), "st"), "run", SPECIFICATION, "--url", server.registry,
               "--checks", CHECKS, "--phases", phases, "--max-examples", "20", "--workers", "1", "--seed", "1",
               "--generation-database", "none", "--suppress-health-check", "all", "--no-color"]
    result = subprocess.run(command, cwd=home, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)
    alive = server.child.poll() is None
    server.stop()
    if result.returncode != 0 or not alive:
        print(result.stdout)
        print("the server ended" if not alive else server.log_tail())
        return 1
    print("\n".join(line.strip() for line in result.stdout.splitlines() if "generated" in line and "passed" in line))
    return 0


if __name__ == "__main__":
    processes.run_main(main)
