#!/usr/bin/env python3
"""Runs every test on real Postgres and real Kafka; brings up what they need and stops it, also after Ctrl-C.

    run.py [PART…]    parts: cargo, clients, golden, schemathesis; all when none is named
"""
import os
import shutil
import sys
import time
import venv

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import kafka, postgres, processes, programs  # noqa: E402
from harness.processes import CACHE, ROOT, Failed, say  # noqa: E402

RUN = os.path.join(CACHE, "run", str(os.getpid()))
VENV = os.path.join(CACHE, "clients", "python")
PYTHON = os.path.join(VENV, "bin", "python")
PARTS = ("cargo", "clients", "golden", "schemathesis")


def prepare_clients():
    """A venv with the pinned Python clients; made again only when the pins change."""
    pins = [os.path.join(ROOT, "compat-tests", name) for name in ("requirements.txt", "constraints.txt")]

    def install():
        say("installing the Python clients under test")
        venv.create(VENV, with_pip=True)
        programs.run("the Python clients could not be installed",
                     [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", pins[0], "-c", pins[1]])
    programs.once(VENV, programs.contents(pins), install)


def timed(name, command, environment):
    """Runs one part with its output on ours; its exit status."""
    say(f"{name}: {' '.join(command)}")
    began = time.monotonic()
    status = processes.run(command, cwd=ROOT, env=environment)
    say(f"{name}: {'passed' if status == 0 else 'FAILED'} in {time.monotonic() - began:.0f} s")
    return status


def main(parts):
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        raise Failed(f"unknown part {unknown[0]}; parts are {', '.join(PARTS)}")
    parts = parts or list(PARTS)
    processes.end_on_signals()
    began = time.monotonic()
    os.makedirs(RUN, exist_ok=True)
    prepare_clients()
    if "clients" in parts:
        programs.prepare()
    kafka.fetch_jars()

    # Postgres and both clusters come up while the compiler runs.
    database = postgres.Server(os.path.join(RUN, "postgres")).begin()
    clusters = [kafka.Cluster(os.path.join(RUN, f"kafka-{number}"), {"auto.create.topics.enable": "true"}).begin()
                for number in (1, 2)]
    build = ["cargo", "test", "--workspace", "--no-run", "--quiet"] if "cargo" in parts else ["cargo", "build", "--quiet", "--bin", "sluice"]
    status = timed("build", build, os.environ.copy())
    if status == 0 and "cargo" in parts:
        status = timed("build", ["cargo", "build", "--quiet", "--bin", "sluice"], os.environ.copy())
    if status != 0:
        return status
    database.ready()
    for cluster in clusters:
        cluster.ready()
    environment = os.environ | {
        "SLUICE_TEST_DATABASE_URL": database.url(),
        "SLUICE_TEST_BOOTSTRAP_SERVERS": ",".join(cluster.bootstrap for cluster in clusters),
        "SLUICE_TEST_PYTHON": PYTHON,
        "SLUICE_TEST_RUN_DIR": RUN,
    }
    say(f"ready after {time.monotonic() - began:.0f} s")

    results = {}
    if "cargo" in parts:
        results["cargo"] = timed("cargo", ["cargo", "test", "--workspace", "--no-fail-fast", "--quiet"], environment)
    if "clients" in parts:
        results["clients"] = timed("clients", [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", "compat-tests/clients"], environment)
    if "golden" in parts:
        results["golden"] = timed("golden", [PYTHON, "compat-tests/golden/run.py"], environment)
    if "schemathesis" in parts:
        results["schemathesis"] = timed("schemathesis", [PYTHON, "compat-tests/openapi/run.py"], environment)
    failed = [name for name, status in results.items() if status != 0]
    say(f"{len(results) - len(failed)} parts passed, {len(failed)} failed{': ' + ', '.join(failed) if failed else ''}; "
        f"{time.monotonic() - began:.0f} s in all")
    return 1 if failed else 0


def ended(status):
    """Keeps the logs of a run that failed."""
    if status == 0:
        shutil.rmtree(RUN, ignore_errors=True)
    else:
        print(f"logs: {RUN}", file=sys.stderr)


if __name__ == "__main__":
    processes.run_main(main, ended)
