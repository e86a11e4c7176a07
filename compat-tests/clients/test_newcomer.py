"""What stands in a newcomer's way is named in a sentence with what to do; whatever need not stand in it does not."""
import os
import random
import shutil
import socket
import subprocess
import time

import pytest

from harness.processes import ROOT, free_port, wait_until
from harness.sluice import BINARY, Sluice

INSTALL = os.path.join(ROOT, "deploy", "install.sh")
# What the script itself calls.
ORDINARY = ("bash", "env", "id", "cut", "sort", "head", "tail", "mktemp", "rm", "cat")
# What it looks for.
WANTED = ("cc", "c++", "make", "pkg-config")


class Machine:
    """A machine on which only these programs exist; those that would change it only say so."""

    def __init__(self, home, without=(), user=1000, rust="1.95.0", **programs):
        self.home = str(home)
        self.log = os.path.join(self.home, "called")
        for name in ORDINARY:
            os.symlink(shutil.which(name), os.path.join(self.home, name))
        for name in set(WANTED) - set(without):
            self._program(name, "exit 0")
        self._program("id", f"echo {user}")
        if rust:
            self._program("cargo", f"echo 'cargo {rust} (0000000 2026-01-01)'")
        for name, body in programs.items():
            self._program(name.replace("_", "-"), body)

    def _program(self, name, body):
        path = os.path.join(self.home, name)
        if os.path.islink(path):
            os.remove(path)
        with open(path, "w") as file:
            file.write(f"#!{shutil.which('bash')}\necho \"{name} $*\" >>{self.log}\n{body}\n")
        os.chmod(path, 0o755)

    def install(self, *parts):
        result = subprocess.run([shutil.which("bash"), INSTALL, *(parts or ["build"])], capture_output=True, text=True,
                                env={"PATH": self.home, "HOME": self.home}, stdin=subprocess.DEVNULL, timeout=30)
        return result.returncode, result.stdout + result.stderr

    def called(self, name):
        if not os.path.exists(self.log):
            return []
        with open(self.log) as log:
            return [line.strip() for line in log if line.startswith(name + " ")]


headers = pytest.mark.skipif(not all(os.path.exists(f"/usr/include/{name}") for name in ("openssl/ssl.h", "zlib.h")),
                             reason="the headers are not where Debian puts them")


@headers
def test_with_everything_there_nothing_is_said_or_done(tmp_path):
    machine = Machine(tmp_path, apt_get="exit 1", sudo="exit 1")
    assert machine.install() == (0, "")
    assert machine.called("apt-get") == machine.called("sudo") == []


@headers
@pytest.mark.parametrize("sudo", [{}, {"sudo": "exit 1"}])
def test_who_is_not_root_is_told_what_to_run(tmp_path, sudo):
    machine = Machine(tmp_path, without=["pkg-config", "make"], apt_get="exit 0", **sudo)
    status, said = machine.install()
    assert status == 1
    assert "sudo apt-get update && sudo apt-get install --no-install-recommends make pkg-config\n" in said
    assert "finds OpenSSL and zlib" in said, "and why"
    assert machine.called("apt-get") == []


@headers
@pytest.mark.parametrize("user, more", [(0, {}), (1000, {"sudo": 'shift; [ "$1" = true ] || exec "$@"'})])
def test_who_may_install_has_it_installed(tmp_path, user, more):
    machine = Machine(tmp_path, without=["make"], user=user, apt_get="exit 0", **more)
    status, said = machine.install()
    assert status == 0 and "installing: make" in said
    assert machine.called("apt-get")[-1] == "apt-get install -y -qq --no-install-recommends make"


@headers
def test_without_a_network_the_packages_are_named(tmp_path):
    machine = Machine(tmp_path, without=["make"], user=0, apt_get="echo 'Temporary failure resolving'; exit 100")
    status, said = machine.install()
    assert status == 1
    assert "Temporary failure resolving" in said and "could not be installed (no network?). They are: make" in said


@headers
def test_another_distribution_is_told_the_names(tmp_path):
    status, said = Machine(tmp_path, without=["make"], user=0).install()
    assert status == 1 and "missing: make" in said and "no Debian-like system" in said


def test_rust_that_is_missing_or_too_old_or_out_of_sight_is_told(tmp_path):
    for name in ("none", "old", "unseen"):
        (tmp_path / name).mkdir()
    status, said = Machine(tmp_path / "none", rust=None).install()
    assert status == 1 and "Rust is missing" in said and "1.94" in said
    status, said = Machine(tmp_path / "old", rust="1.85.1").install()
    assert status == 1 and "1.85.1" in said and "1.94 or newer" in said
    unseen = Machine(tmp_path / "unseen", rust=None)
    os.makedirs(os.path.join(unseen.home, ".cargo", "bin"))
    unseen._program(".cargo/bin/cargo", "exit 0")
    status, said = unseen.install()
    assert status == 1 and f'. "{unseen.home}/.cargo/env"' in said


def dev(*flags, as_somebody=False, environment=None):
    """`sluice dev` that is not expected to start: status and what it said."""
    command = [BINARY, "dev", *flags]
    if as_somebody and os.geteuid() == 0:
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]
    began = time.monotonic()
    ours = {name: value for name, value in os.environ.items() if not name.startswith("SLUICE_")}
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd="/", env=ours | (environment or {}))
    assert time.monotonic() - began < 20, "it says so at once, not after a while of trying"
    said = result.stdout + result.stderr
    assert "panicked" not in said and "backtrace" not in said, said
    return result.returncode, said.strip()


def elsewhere():
    return [part for name in ("registry", "rest", "management") for part in (f"--{name}-listen", "127.0.0.1:0")]


def test_a_taken_port_is_named_with_what_moves_it(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        for name in ("registry", "rest", "management"):
            flags = elsewhere() + ["--data-dir", str(tmp_path)]
            flags[flags.index(f"--{name}-listen") + 1] = address
            status, said = dev(*flags)
            assert status == 1
            assert said == (f"error: {address}: another process listens there already; choose another with --{name}-listen "
                            f"or SLUICE_{name.upper()}_LISTEN")


def test_a_data_directory_that_cannot_be_written_is_named(tmp_path):
    # pytest's own directories are closed to others
    closed = os.path.join(os.environ["SLUICE_TEST_RUN_DIR"], f"closed-{os.getpid()}-{free_port()}")
    os.makedirs(closed)
    os.chmod(closed, 0o555)
    status, said = dev(*elsewhere(), "--data-dir", closed, as_somebody=True)
    assert status == 1 and said.count("\n") == 0
    assert f"{closed}/schemas.sqlite" in said and "Permission denied" in said
    status, said = dev(*elsewhere(), as_somebody=True, environment={"SLUICE_DATA_DIR": closed + "/below"})
    assert status != 0 and said.count("\n") == 0
    assert closed + "/below" in said and "Permission denied" in said and "--data-dir or SLUICE_DATA_DIR" in said
    file = tmp_path / "file"
    file.write_text("")
    status, said = dev(*elsewhere(), "--data-dir", str(file))
    assert status != 0 and "is no directory" in said and said.count("\n") == 0


@pytest.mark.parametrize("what", ["a text", "noise", "a damaged database", "a directory"])
def test_a_schema_file_that_is_none_is_named_with_what_to_do(tmp_path, what):
    file = tmp_path / "schemas.sqlite"
    match what:
        case "a text":
            file.write_text("this is a text, and longer than the header of a database would be: it is a hundred bytes and more")
        case "noise":
            file.write_bytes(random.Random(1).randbytes(20_000))
        case "a damaged database":
            server = Sluice(str(tmp_path), "--data-dir", str(tmp_path), command="dev").begin().ready()
            assert server.stop() == 0
            for suffix in ("-wal", "-shm"):  # else its pages are mended from there
                (tmp_path / f"schemas.sqlite{suffix}").unlink(missing_ok=True)
            content = bytearray(file.read_bytes())
            content[4096:] = random.Random(1).randbytes(len(content) - 4096)
            content[100:1000] = bytes(900)
            file.write_bytes(content)
        case "a directory":
            file.mkdir()
    status, said = dev(*elsewhere(), "--data-dir", str(tmp_path))
    assert status == 1 and said.count("\n") == 0, said
    assert str(file) in said
    assert what == "a directory" or "move it away" in said


def test_two_on_one_data_directory_share_its_schemas(tmp_path):
    first, second = (Sluice(str(tmp_path / name), "--data-dir", str(tmp_path), command="dev") for name in ("one", "two"))
    first.begin().ready()
    second.begin().ready()
    schemas = ['{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}', '"string"']
    for server, schema, number in ((first, schemas[0], 1), (second, schemas[1], 2)):
        body = {"schemaType": "AVRO", "schema": schema}
        assert server.request("POST", f"{server.registry}/subjects/s{number}/versions", body)[1]["id"] == number
    for server in (first, second):
        wait_until(lambda: server.get(server.registry + "/subjects") == (200, ["s1", "s2"]), server.child, "both subjects", 10)
    assert (first.stop(), second.stop()) == (0, 0)
    assert [entry.name for entry in tmp_path.iterdir() if entry.is_file()] == ["schemas.sqlite"], "all in one file to be copied"
