"""Programs around registry clients of other languages: fetches the pinned clients into the cache and builds what must be built.

Each `…_command` gives the command that runs one program, ready after `prepare`. Sources and pins are in
`compat-tests/clients/{node,go,rust,java}`; the digests of lock files decide whether the network is asked again. To add
a client: a program that reads a journey and prints a report (see `clients/test_other_languages.py`), and its command here.
"""
import concurrent.futures
import hashlib
import os
import shutil
import subprocess
import time

from . import processes
from .processes import CACHE, ROOT, Failed, say

SOURCES = os.path.join(ROOT, "compat-tests", "clients")
HOME = os.path.join(CACHE, "clients")

# Confluent's registry client is not on Maven Central itself; Flink's Avro format carries it (7.5.3, relocated).
JARS = {
    "org.apache.flink:flink-sql-avro-confluent-registry:2.1.0": "f21b26fc23f2e7d989fdbc1f319c5066605805909d884666f7b4aa40840d6dca",
    "org.slf4j:slf4j-api:1.7.36": "d3ef575e3e4979678dc01bf1dcce51021493b4d11fb7f1be8ad982877c16a1c0",
}
OLDEST = {"node": "Node.js 20 or newer", "go": "Go 1.21 or newer (it fetches the toolchain that go.mod names)"}
JAR_HOME = os.path.join(HOME, "java", "lib")
CLASSES = os.path.join(HOME, "java", "classes")
GO_BINARIES = os.path.join(HOME, "go", "bin")
RUST_TARGET = os.path.join(HOME, "rust")


def prepare():
    """Fetches and builds every program; a second time it only looks. Raises `Failed` naming what could not be had."""
    needed = {"node": "Node.js", "npm": "Node.js's package manager", "go": "Go", "cargo": "Rust", "javac": "a JDK",
              "java": "a JDK", "mvn": "Maven"}
    missing = [f"{tool} ({what})" for tool, what in needed.items() if not shutil.which(tool)]
    if missing:
        raise Failed(f"the client tests need {', '.join(missing)}: run `deploy/install.sh test`")
    for command, least in ((["node", "--version"], 20), (["go", "env", "GOVERSION"], 21)):
        said = subprocess.run(command, capture_output=True, text=True).stdout.strip()
        number = int(said.removeprefix("go1.").removeprefix("v").split(".")[0])
        if number < least:
            raise Failed(f"{command[0]} here is {said}: too old for the clients under test, which need {OLDEST[command[0]]}")
    # npm waits for the network while the compilers work.
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        try:
            for done in [pool.submit(_timed, name, make) for name, make in
                         (("node", _node), ("go", _go), ("java", _java), ("rust", _rust))]:
                done.result()
        except SystemExit:
            pool.shutdown(wait=False, cancel_futures=True)
            processes.stop_all()  # or the pool would wait for them
            raise


def _timed(name, make):
    began = time.monotonic()
    make()
    took = time.monotonic() - began
    if took > 5:
        say(f"{name} clients ready after {took:.0f} s")


def once(home, pins, make):
    """Calls `make()` with an empty directory `home`, unless it was made for the same `pins` (a text) before."""
    mark = os.path.join(home, "complete")
    if os.path.exists(mark):
        with open(mark) as file:
            if file.read() == pins:
                return
    shutil.rmtree(home, ignore_errors=True)
    os.makedirs(home)
    make()
    with open(mark, "w") as file:
        file.write(pins)


def contents(paths):
    """The files' texts, one after the other: what `once` compares."""
    texts = []
    for path in paths:
        with open(path) as file:
            texts.append(file.read())
    return "\n".join(texts)


def run(what, command, **options):
    """Runs a command to its end; raises `Failed` with its last output when it fails."""
    status, written = processes.output(command, **options)
    if status != 0:
        raise Failed(f"{what}:\n{written[-5000:]}")


def _node():
    home = os.path.join(HOME, "node")
    pins = [os.path.join(SOURCES, "node", name) for name in ("package.json", "package-lock.json")]

    def install():
        for pin in pins:
            shutil.copy(pin, home)
        # No install scripts: these packages need none, and what they would fetch is not pinned.
        run("the Node clients could not be installed",
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--cache", os.path.join(HOME, "npm")], cwd=home)
    once(home, contents(pins), install)


def node_command(program):
    return ["env", f"NODE_PATH={os.path.join(HOME, 'node', 'node_modules')}", "node", os.path.join(SOURCES, "node", program)]


def _go():
    environment = os.environ | {"GOMODCACHE": os.path.join(HOME, "go", "mod"), "GOCACHE": os.path.join(HOME, "go", "build"),
                                "GOFLAGS": "-mod=readonly -modcacherw -buildvcs=false", "GOWORK": "off"}
    run("the Go clients could not be built", ["go", "build", "-o", GO_BINARIES + "/", "./confluent", "./franz"],
        cwd=os.path.join(SOURCES, "go"), env=environment)


def go_command(program):
    return [os.path.join(GO_BINARIES, program)]


def _rust():
    run("the Rust client could not be built", ["cargo", "build", "--quiet", "--locked"],
        cwd=os.path.join(SOURCES, "rust"), env=os.environ | {"CARGO_TARGET_DIR": RUST_TARGET})


def rust_command():
    return [os.path.join(RUST_TARGET, "debug", "clients-under-test")]


def _java():
    def fetch():
        for jar, wanted in JARS.items():
            _, name, version = jar.split(":")
            run(f"{jar} could not be fetched",
                ["mvn", "-q", "-B", "-ntp", "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy", f"-Dartifact={jar}",
                 f"-DoutputDirectory={JAR_HOME}"], cwd=JAR_HOME)
            with open(os.path.join(JAR_HOME, f"{name}-{version}.jar"), "rb") as file:
                got = hashlib.sha256(file.read()).hexdigest()
            if got != wanted:
                raise Failed(f"{jar} has the sha256 {got}, not {wanted}")
    once(JAR_HOME, str(JARS), fetch)
    source = os.path.join(SOURCES, "java", "Confluent.java")
    once(CLASSES, contents([source]) + str(JARS),
         lambda: run("the Java client could not be compiled", ["javac", "-cp", f"{JAR_HOME}/*", "-d", CLASSES, source]))


def java_command():
    return ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{JAR_HOME}/*:{CLASSES}", "Confluent"]
