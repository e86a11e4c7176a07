"""A test run that is interrupted leaves nothing behind, whatever it was doing and whoever interrupts it."""
import os
import signal
import subprocess
import sys
import uuid

import pytest

from harness.processes import accepts, wait_until

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MARK = "SLUICE_TEST_MARK"

# What `run.py` does, in small: servers, then a child that runs tests, which start servers of their own.
RUNNER = """
import os, sys
sys.path.insert(0, {root!r})
from harness import kafka, postgres, processes
home = {home!r}

def main(arguments):
    processes.end_on_signals()
    database = postgres.Server(os.path.join(home, "postgres")).begin()
    print("postgres", database.port, flush=True)
    cluster = kafka.Cluster(os.path.join(home, "kafka"))
    print("kafka", cluster.port, flush=True)
    cluster.begin()
    database.ready()
    cluster.ready()
    print("up 0", flush=True)
    return processes.run([sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", os.path.join(home, "test_inner.py")])

processes.run_main(main)
"""
INNER = """
import os, sys, time
sys.path.insert(0, {root!r})
sys.path.insert(0, os.path.join({root!r}, "clients"))
from conftest import start  # installs the signal handlers
from harness import postgres, processes

def test_that_is_interrupted(start, tmp_path):
    database = postgres.Server(os.path.join({home!r}, "inner")).begin().ready()
    server = start("--database-url", "sqlite://" + str(tmp_path / "s.sqlite"), "--bootstrap-servers", "127.0.0.1:1",
                   "--shutdown-delay", "0s")
    print("testing", server.rest_port, flush=True)
    time.sleep(120)

def test_that_must_not_run():
    print("next 0", flush=True)
    time.sleep(120)
"""


def marked(mark):
    """Processes that were started with this mark in their environment."""
    found = []
    wanted = f"{MARK}={mark}".encode()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as environment:
                if wanted in environment.read().split(b"\0"):
                    with open(f"/proc/{pid}/cmdline") as command:
                        found.append((pid, command.read().replace("\0", " ")[:100]))
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            pass
    return found


@pytest.mark.parametrize("moment, how", [
    ("kafka", "terminate"),  # its storage is being formatted
    ("up", "interrupt"),
    ("testing", "terminate"),
    ("testing", "interrupt"),
    ("testing", "kill"),
])
def test_nothing_of_an_interrupted_run_is_left(moment, how):
    home = os.path.join(os.environ["SLUICE_TEST_RUN_DIR"], "runner-" + uuid.uuid4().hex[:8])
    os.makedirs(home)
    for name, text in (("runner.py", RUNNER), ("test_inner.py", INNER)):
        with open(os.path.join(home, name), "w") as file:
            file.write(text.format(root=ROOT, home=home))
    mark = uuid.uuid4().hex
    # a group of its own, as a shell gives its jobs
    runner = subprocess.Popen([sys.executable, os.path.join(home, "runner.py")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, env=os.environ | {MARK: mark}, start_new_session=True)
    seen, ports = [], []
    for line in runner.stdout:
        seen.append(line)
        word, _, port = line.strip().partition(" ")
        if port.isdigit():
            ports.append(int(port))
        if word == moment:
            break
    else:
        pytest.fail("the run ended by itself:\n" + "".join(seen))
    match how:
        case "interrupt":
            os.killpg(runner.pid, signal.SIGINT)
        case "terminate":
            runner.terminate()
        case "kill":
            runner.kill()
    rest, _ = runner.communicate(timeout=30)
    # a process that ends loses its environment before its sockets
    wait_until(lambda: not marked(mark) and not any(map(accepts, filter(None, ports))), None, f"the end of {marked(mark)}", 15)
    assert runner.returncode != 0
    assert "next 0" not in rest, "the interrupted test run went on with its next test"
