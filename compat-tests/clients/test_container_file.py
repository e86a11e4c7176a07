"""The container file, as far as it can be seen without building it: what it copies is what cargo reads, what the binary
needs is in the image, and it runs there as the image says."""
import fnmatch
import json
import os
import re
import shlex
import shutil
import signal
import subprocess

import pytest

from harness.processes import ROOT, start, stop, wait_until
from harness.sluice import BINARY, Sluice

FILE = os.path.join(ROOT, "deploy", "Containerfile")
# Debian's packages of what a binary may be linked with; those of the base image need no mention.
PACKAGES = {"libssl.so.3": "libssl3", "libcrypto.so.3": "libssl3", "libz.so.1": "zlib1g"}
IN_BASE = {"linux-vdso.so.1", "libc.so.6", "libm.so.6", "libgcc_s.so.1", "libpthread.so.0", "libdl.so.2", "librt.so.1"}


def stages():
    """The instructions of each stage: lists of (NAME, text)."""
    with open(FILE) as file:
        text = re.sub(r"^#.*\n", "", file.read(), flags=re.M).replace("\\\n", " ")
    found = []
    for line in filter(str.strip, text.splitlines()):
        name, _, rest = line.strip().partition(" ")
        if name == "FROM":
            found.append([])
        found[-1].append((name, rest.strip()))
    return found


def all_of(stage, name):
    return [text for instruction, text in stage if instruction == name]


@pytest.fixture
def copied(tmp_path):
    """The build stage's files, copied as it copies them."""
    target = tmp_path / "src"
    target.mkdir()
    for text in all_of(stages()[0], "COPY"):
        *sources, place = text.split()
        for source in sources:
            path = os.path.join(ROOT, source)
            if os.path.isdir(path):
                shutil.copytree(path, target / place)
            else:
                shutil.copy(path, target / place)
    return target


def test_what_cargo_reads_is_copied(copied):
    result = subprocess.run(["cargo", "metadata", "--format-version", "1", "--locked", "--offline", "--no-deps"],
                            cwd=copied, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    members = {package["name"] for package in json.loads(result.stdout)["packages"]}
    assert {"sluice-server", "sluice-kafka"} <= members and len(members) == len(os.listdir(os.path.join(ROOT, "crates")))


def test_what_the_source_includes_is_copied(copied):
    """`include_str!` and its kin of all that is no test, followed to the files (or folders, where macros make the names)."""
    seen = 0
    for folder, _, names in os.walk(copied / "crates"):
        for name in fnmatch.filter(names, "*.rs"):
            path = os.path.join(folder, name)
            inside = os.path.relpath(path, copied / "crates").split(os.sep)
            if inside[1] != "src":
                continue
            with open(path) as file:
                code = file.read().split("#[cfg(test)]")[0]
            for included in re.findall(r'include(?:_str|_bytes)?!\((?:concat!\()?\s*"([^"]+)"', code):
                seen += 1
                assert os.path.exists(os.path.normpath(os.path.join(folder, included))), f"{path} includes {included}"
    assert seen >= 3, "the schemas and migrations in the binary"


def test_what_is_ignored_is_not_copied():
    with open(os.path.join(ROOT, ".dockerignore")) as file:
        lines = [line.strip() for line in file if line.strip() and not line.startswith("#")]
    assert lines[0] == "*"
    assert {line.removeprefix("!") for line in lines[1:]} == {
        source for text in all_of(stages()[0], "COPY") for source in text.split()[:-1]}


def test_the_libraries_of_the_binary_are_in_the_image():
    linked = {line.split()[0] for line in subprocess.run(["ldd", BINARY], check=True, capture_output=True, text=True).stdout.splitlines()}
    needed = {library for library in linked - IN_BASE if not library.startswith("/")}
    assert needed <= set(PACKAGES), "name the package of a new library, here and in the image"
    installed = " ".join(all_of(stages()[1], "RUN"))
    for library in needed:
        assert re.search(rf"\b{PACKAGES[library]}\b", installed), library
    assert "ca-certificates" in installed, "TLS to Kafka and Postgres trusts the system's authorities"


def test_it_runs_as_nobody_in_particular_and_gets_its_signals():
    image = stages()[1]
    assert all(user.isdigit() and int(user) > 0 for user in all_of(image, "USER")) and all_of(image, "USER")
    # the exec form: a shell in between would keep the signals to itself
    assert json.loads(all_of(image, "ENTRYPOINT")[-1]) == ["sluice"]
    assert json.loads(all_of(image, "CMD")[-1]) == ["serve"]
    ports = {value.rpartition(":")[2] for text in all_of(image, "ENV") for value in shlex.split(text)}
    assert set(all_of(image, "EXPOSE")[0].split()) == ports


def test_as_process_one_of_its_own_user_it_serves_and_stops(tmp_path):
    """As a container runs it: a process without a parent, without a home, with nothing of its own but one directory."""
    user = all_of(stages()[1], "USER")[-1]
    if os.geteuid() != 0 or subprocess.run(["unshare", "--pid", "--fork", "true"], capture_output=True).returncode != 0:
        pytest.skip("needs the right to make namespaces and to change the user")
    home = os.path.join(os.environ["SLUICE_TEST_RUN_DIR"], f"container-{os.getpid()}")
    os.makedirs(home)
    os.chown(home, int(user), int(user))
    server = Sluice(home, "--database-url", f"sqlite://{home}/s.sqlite", "--bootstrap-servers", "127.0.0.1:1", "--shutdown-delay", "0s")
    server.child = start(["unshare", "--pid", "--fork", "--kill-child", "setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups",
                          "--no-new-privs", *server.command], server.log, cwd="/", env={"PATH": os.environ["PATH"]})
    server.ready()
    body = {"schemaType": "AVRO", "schema": '"string"'}
    assert server.request("POST", f"{server.registry}/subjects/s/versions", body)[0] == 200
    with open(f"/proc/{server.child.pid}/task/{server.child.pid}/children") as file:
        [inner] = map(int, file.read().split())
    with open(f"/proc/{inner}/status") as file:
        status = file.read()
    assert re.search(r"^NSpid:.*\t1$", status, re.M) and re.search(rf"^Uid:\t{user}\t", status, re.M), status
    os.kill(inner, signal.SIGTERM)
    wait_until(lambda: server.child.poll() is not None, None, "the stop", 10)
    assert server.child.returncode == 0
    stop(server.child)
