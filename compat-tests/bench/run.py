#!/usr/bin/env python3
"""Speed, as ratios against a yardstick measured in the same run; prints a table, writes bench-results/bench.json.

    run.py [ROW…]      rows: get, known, new, produce, stream, json, memory, start, nodes, and of `registry_rows.py`
                       compat, list, caches, storm, flat; all but flat when none is named

Both sides of a ratio run alike: the server on one core, its load on the other; where client, server and database all
work (registering, streams), everything has both cores on both sides. Ratios are what counts; rates depend on the
machine. Needs a quiet machine with two cores.
"""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import time
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), HERE]
from harness import postgres, processes  # noqa: E402
from harness.processes import CACHE, ROOT, Failed, accepts, free_port, say, start, stop, wait_until  # noqa: E402

TARGET = os.environ.get("CARGO_TARGET_DIR") or os.path.join(ROOT, "target")
RELEASE = os.path.join(TARGET, "release")
os.environ.setdefault("SLUICE_TEST_BINARY", os.path.join(RELEASE, "sluice"))
from harness.sluice import Sluice  # noqa: E402
from registry_rows import RegistryRows, resident_mb  # noqa: E402

RUN = os.path.join(CACHE, "run", f"bench-{os.getpid()}")
SECONDS = int(os.environ.get("SECONDS_EACH", "6"))
WANTED = {"get": 0.85, "known": 0.6, "new 16": 0.7, "new 64": 0.7, "produce": 0.5, "stream 100": 0.3, "stream 1024": 0.4,
          "flat": 0.9}


def build():
    say("building (release)")
    for command in (["cargo", "build", "--release", "--quiet", "--bin", "sluice"],
                    ["cargo", "build", "--release", "--quiet", "-p", "sluice-api", "--example", "axum_echo", "--example", "stream_load"],
                    ["cargo", "build", "--release", "--quiet", "-p", "sluice-kafka", "--example", "produce_bench"],
                    ["cargo", "build", "--release", "--quiet", "-p", "sluice-schema", "--example", "json_protobuf_bench", "--example", "compatibility_bench"]):
        if subprocess.run(command, cwd=ROOT).returncode != 0:
            raise Failed(f"{' '.join(command)} failed")


def pinned(cores, command):
    return ["taskset", "-c", cores, *command]


def wrk(url, connections=64, script=None, arguments=(), cores="1", threads=1, seconds=None):
    """Requests per second and the 99th percentile in ms; warm up first."""
    command = ["wrk", "-t", str(threads), "-c", str(connections), "--latency"]
    if script:
        command += ["-s", os.path.join(HERE, script)]
    tail = [url, "--", *arguments] if script else [url]
    subprocess.run(pinned(cores, [*command, "-d", "1", *tail]), capture_output=True)
    out = subprocess.run(pinned(cores, [*command, "-d", str(seconds or SECONDS), *tail]), capture_output=True, text=True).stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", out)
    late = re.search(r"99%\s+([\d.]+)(us|ms|s)", out)
    if not rate:
        raise Failed(f"wrk said:\n{out}")
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    if bad:
        raise Failed(f"{bad.group(1)} answers were errors:\n{out}")
    scale = {"us": 0.001, "ms": 1, "s": 1000}
    return float(rate.group(1)), float(late.group(1)) * scale[late.group(2)] if late else None


def alternating(ours, theirs, rounds=3):
    """Best of several turns of each, taken in turn, so that a noisy moment hits both."""
    best = [0.0, 0.0]
    late = [None, None]
    for _ in range(rounds):
        for side, measure in enumerate((ours, theirs)):
            rate, p99 = measure()
            if rate > best[side]:
                best[side], late[side] = rate, p99
    return best[0], late[0], best[1], late[1]


class Bench(RegistryRows):
    release, run, wrk = RELEASE, RUN, staticmethod(wrk)

    def __init__(self):
        self.rows = []
        self.facts = {}

    def row(self, name, ours, theirs, unit, against, p99=None, note=""):
        ratio = ours / theirs
        wanted = WANTED.get(name)
        self.rows.append({"name": name, "ours": ours, "theirs": theirs, "unit": unit, "against": against, "ratio": round(ratio, 3),
                          "wanted": wanted, "p99_ms": p99, "note": note})
        say(f"{name}: {ours:,.0f} against {theirs:,.0f} {unit} ({against}): ratio {ratio:.2f}" + (f", wanted {wanted}" if wanted else ""))

    def echo(self):
        port = free_port()
        child = start(pinned("0", [os.path.join(RELEASE, "examples", "axum_echo"), str(port)]), os.path.join(RUN, "echo.log"))
        wait_until(lambda: accepts(port), child, "axum_echo")
        return child, f"http://127.0.0.1:{port}"

    def serve(self, name, *flags, cores="0", command="serve"):
        server = Sluice(os.path.join(RUN, name), *flags, command=command)
        server.command = pinned(cores, server.command)
        return server.begin().ready()

    def dev(self, name, cores="0"):
        return self.serve(name, "--data-dir", os.path.join(RUN, name + "-data"), cores=cores, command="dev")

    # --- rows
    def get(self):
        server = self.dev("get")
        schema = 'syntax = "proto3"; package bench; message Order { string id = 1; int64 total = 2; repeated string tags = 3; }'
        status, answer = server.request("POST", f"{server.registry}/subjects/bench-value/versions", {"schemaType": "PROTOBUF", "schema": schema})
        if status != 200:
            raise Failed(f"register: {answer}")
        url = f"{server.registry}/schemas/ids/{answer['id']}"
        size = len(subprocess.run(["curl", "-s", url], capture_output=True).stdout)
        echo, base = self.echo()
        ours, p99, theirs, _ = alternating(lambda: wrk(url), lambda: wrk(f"{base}/body/{size}"))
        self.row("get", ours, theirs, "requests/s", f"bare axum, {size} bytes", p99)
        known, p99, again, _ = alternating(lambda: wrk(server.registry, script="register.lua", arguments=("known", "k")), lambda: wrk(url))
        self.row("known", known, again, "requests/s", "our GET by id", p99)
        stop(echo)
        server.stop()

    known = get

    def new(self):
        database = postgres.Server(os.path.join(RUN, "pg"), durable=True).begin().ready()
        server = self.serve("new", "--database-url", database.url(), "--bootstrap-servers", "127.0.0.1:1", cores="0,1")
        script = os.path.join(HERE, "registration.sql")
        database.sql(open(os.path.join(HERE, "registration_setup.sql")).read())
        pgbench = shutil.which("pgbench") or sorted(glob.glob("/usr/lib/postgresql/*/bin/pgbench"))[-1]

        def ours(writers):
            return lambda: wrk(server.registry, connections=writers, script="register.lua", arguments=("new", uuid.uuid4().hex[:8]), cores="0,1")

        def theirs(writers):
            def run():
                out = subprocess.run([pgbench, "-h", "127.0.0.1", "-p", str(database.port), "-U", "postgres", "-n", "-M", "prepared", "-f", script,
                                      "-c", str(writers), "-j", "2", "-T", str(SECONDS), "postgres"], capture_output=True, text=True).stdout
                return float(re.search(r"tps = ([\d.]+)", out).group(1)), None
            return run
        for writers in (1, 16, 64):
            a, p99, b, _ = alternating(ours(writers), theirs(writers), rounds=2)
            self.row(f"new {writers}", a, b, "registrations/s", f"pgbench, {writers} clients, as many statements, fsync on", p99)
        server.stop()
        database.stop()

    def produce(self):
        server = self.dev("produce")
        echo, base = self.echo()
        path = "/v3/clusters/dev/topics/bench/records"
        ours, p99, theirs, _ = alternating(lambda: wrk(server.rest, script="produce.lua", arguments=(path, "100")),
                                           lambda: wrk(base, script="produce.lua", arguments=("/produce", "100")))
        self.row("produce", ours, theirs, "requests/s", "axum + JSON + base64", p99)
        one, one99 = wrk(server.rest, connections=1, script="produce.lua", arguments=(path, "100"))
        self.facts["produce, 1 connection"] = f"{one:,.0f} requests/s, p99 {one99} ms"
        stop(echo)
        server.stop()

    def stream(self):
        for size, count in ((100, 2_000_000), (1024, 600_000)):
            server = self.dev(f"stream-{size}", cores="0,1")
            client = os.path.join(RELEASE, "examples", "stream_load")
            library = os.path.join(RELEASE, "examples", "produce_bench")

            def ours():
                out = subprocess.run(pinned("0,1", [client, f"127.0.0.1:{server.rest_port}", "/v3/clusters/dev/topics/bench/records", str(count), str(size)]),
                                     capture_output=True, text=True)
                if out.returncode != 0:
                    raise Failed(out.stderr)
                return float(out.stdout), None

            def theirs():
                out = subprocess.run(pinned("0,1", [library, "1", str(size)]), capture_output=True, text=True).stdout
                measured = json.loads(out.splitlines()[-1])["kafka_adapter"]
                return next(row["librdkafka_per_s"] for row in measured if row["profile"] == "durable"), None
            ours()  # the first of all starts the producer for fast streams
            a, _, b, _ = alternating(ours, theirs)
            self.row(f"stream {size}", a, b, "records/s", "librdkafka fed in-process")
            server.stop()

    def json(self):
        out = subprocess.run(pinned("0", [os.path.join(RELEASE, "examples", "json_protobuf_bench"), "--json"]), capture_output=True, text=True).stdout
        result = json.loads(out)
        self.facts["JSON → protobuf"] = (f"{result['codec_ns']:.0f} ns against prost-reflect's {result['prost_reflect_ns']:.0f} ns: "
                                         f"{result['codec_ns'] / result['prost_reflect_ns']:.2f} of its time (wanted ≤ 0.35)")
        self.facts["json_ratio"] = round(result["codec_ns"] / result["prost_reflect_ns"], 3)

    def memory(self):
        server = self.serve("memory", "--database-url", "sqlite://" + os.path.join(RUN, "memory.sqlite"), "--bootstrap-servers", "127.0.0.1:1")
        self.facts["idle memory, MB (wanted ≤ 40)"] = round(resident_mb(server), 1)
        wrk(f"{server.registry}/subjects", connections=4, seconds=1)
        registered = self.register_many(server, 20_000)
        self.facts["memory with 20,000 subjects, MB (wanted ≤ 120)"] = round(resident_mb(server), 1)
        self.facts["registered one by one over 16 connections on SQLite, per s"] = round(registered)
        server.stop()

    def register_many(self, server, count):
        import http.client
        from concurrent.futures import ThreadPoolExecutor
        began = time.monotonic()

        def some(part):
            connection = http.client.HTTPConnection("127.0.0.1", server.registry_port, timeout=60)
            for number in range(part, count, 16):
                body = json.dumps({"schemaType": "PROTOBUF", "schema": f'syntax = "proto3"; message M{number} {{ string id = 1; int64 f{number} = 2; }}'})
                connection.request("POST", f"/subjects/many-{number}-value/versions", body, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                text = answer.read()
                if answer.status != 200:
                    raise Failed(f"register: {text}")
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(some, range(16)))
        return count / (time.monotonic() - began)

    def start(self):
        database = postgres.Server(os.path.join(RUN, "pg-start")).begin().ready()
        server = self.serve("fill", "--database-url", database.url(), "--bootstrap-servers", "127.0.0.1:1", cores="0,1")
        self.register_many(server, 1_000)
        server.stop()
        # 100,000 schemas: the rows of one, multiplied in place, as the server itself would have written them.
        database.sql(open(os.path.join(HERE, "multiply.sql")).read())
        count = database.sql("select count(*) from subject_version")
        began = time.monotonic()
        server = Sluice(os.path.join(RUN, "start"), "--database-url", database.url(), "--bootstrap-servers", "127.0.0.1:1").begin().ready()
        self.facts[f"ready with {count} schemas in Postgres, s (wanted ≤ 0.5)"] = round(time.monotonic() - began, 3)
        server.stop()
        database.stop()

    def nodes(self):
        """How long until a list of one node shows what the other acknowledged."""
        database = postgres.Server(os.path.join(RUN, "pg-nodes"), durable=True).begin().ready()
        one, other = [self.serve(f"node-{number}", "--database-url", database.url(), "--bootstrap-servers", "127.0.0.1:1", cores="0,1")
                      for number in (1, 2)]

        def version(number):
            return {"schemaType": "PROTOBUF", "schema": f'syntax = "proto3"; message M {{ string id = 1; int64 f{number} = {number}; }}'}
        took = []
        for round_ in range(200):
            path = f"/subjects/nodes-{round_}-value/versions"
            for number in (2, 3):
                status, answer = one.request("POST", one.registry + path, version(number))
                if status != 200:
                    raise Failed(f"register: {answer}")
                began = time.monotonic()
                wanted = (200, list(range(1, number)))
                while other.get(other.registry + path) != wanted:
                    if time.monotonic() - began > 10:
                        raise Failed(f"after 10 s still not {wanted}: {other.get(other.registry + path)}")
                if number == 3:
                    # The list was cached; only a notification can have told.
                    took.append((time.monotonic() - began) * 1000)
        took.sort()
        self.facts["in the list of another node, ms (wanted ≤ 100)"] = f"median {took[len(took) // 2]:.1f}, p99 {took[len(took) * 99 // 100]:.1f}"
        for server in (one, other):
            server.stop()
        database.stop()


def main(wanted):
    if os.cpu_count() < 2:
        raise Failed("the bench needs two cores")
    processes.end_on_signals()
    os.makedirs(RUN, exist_ok=True)
    build()
    bench = Bench()
    for name in wanted or ["get", "new", "produce", "stream", "json", "memory", "start", "nodes", "compat", "list", "caches", "storm"]:
        say(f"measuring {name}")
        getattr(bench, name)()
    print(f"\n{'row':14} {'sluice':>12} {'yardstick':>12}  {'unit':16} {'ratio':>6} {'wanted':>7}  against")
    for row in bench.rows:
        print(f"{row['name']:14} {row['ours']:12,.0f} {row['theirs']:12,.0f}  {row['unit']:16} {row['ratio']:6.2f} {row['wanted'] or '':>7}  {row['against']}"
              + (f"; p99 {row['p99_ms']:.1f} ms" if row["p99_ms"] else ""))
    for name, fact in bench.facts.items():
        print(f"{name}: {fact}")
    os.makedirs(os.path.join(ROOT, "bench-results"), exist_ok=True)
    with open(os.path.join(ROOT, "bench-results", "bench.json"), "w") as file:
        json.dump({"rows": bench.rows, "facts": bench.facts}, file, indent=1)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
        status = 0
    except Failed as failure:
        print(f"error: {failure}", file=sys.stderr)
        status = 1
    finally:
        processes.stop_all()
        shutil.rmtree(RUN, ignore_errors=True)
    sys.exit(status)
