"""Rows of the registry at size: big schemas, many versions, many subjects, small caches.

    compat     compatibility checks of big schemas: in process, and over HTTP against 100 versions
    flat       100,000 registrations over 16 connections, fsync on: the last tenth against the first. Takes minutes,
               runs only when named
    list       GET /subjects with 100,000 subjects: warm, and the first after each change
    caches     bytes per cached schema of 1 KB, and a small cap that holds
    storm      GET by id while three writers register schemas of 1 MB

In `storm` server, Postgres and load share both cores, as they would on a small machine; the GETs are paced, so that
their latency is not that of a queue. Writers run at a lower priority than the server: they stand for other machines.
"""
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import time

from harness import postgres
from harness.processes import Failed, start, stop, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
FORMATS = ("avro", "protobuf", "json")


def milliseconds(work):
    began = time.monotonic()
    result = work()
    return (time.monotonic() - began) * 1000, result


def percentile(values, percent):
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]


def resident_mb(server):
    with open(f"/proc/{server.child.pid}/status") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)) / 1024


def metric(server, line):
    """The number of a metric, by name and label as they stand in the exposition."""
    _, text = server.get(server.management + "/metrics")
    found = re.search(re.escape(line) + r" ([\d.e+]+)", text)
    return float(found.group(1)) if found else 0.0


def of_one_kb(name, number):
    """A schema of about 1 KB, unlike any other number's."""
    if name == "avro":
        fields = [f'{{"name":"field_{n}","type":["null","string"],"default":null}}' for n in range(16)]
        return f'{{"type":"record","name":"R{number}","namespace":"bench","fields":[{",".join(fields)}]}}'
    if name == "protobuf":
        fields = "".join(f"  string some_field_number_{n} = {n};\n" for n in range(1, 27))
        return f'syntax = "proto3";\npackage bench;\n\nmessage M{number} {{\n{fields}}}\n'
    properties = ",".join(f'"property_{n}":{{"type":"string","minLength":{n}}}' for n in range(22))
    return f'{{"$schema":"http://json-schema.org/draft-07/schema#","title":"T{number}","type":"object","properties":{{{properties}}}}}'


class Client:
    """One connection that is kept."""

    def __init__(self, server):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.registry_port, timeout=120)

    def ask(self, method, path, body=None):
        self.connection.request(method, path, json.dumps(body) if body is not None else None, {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise Failed(f"{method} {path}: {answer.status} {text[:500]!r}")
        return text

    def register(self, subject, name, text):
        body = {"schemaType": name.upper(), "schema": text}
        return json.loads(self.ask("POST", f"/subjects/{subject}/versions", body))["id"]


class RegistryRows:
    """Rows of the bench; `Bench` has the rest."""

    def compat(self):
        program = os.path.join(self.release, "examples", "compatibility_bench")
        out = subprocess.run(["taskset", "-c", "0", program, "--json"], capture_output=True, text=True)
        if out.returncode != 0:
            raise Failed(out.stderr)
        for name, measured in json.loads(out.stdout).items():
            self.facts[f"compatibility, {name} of {measured['bytes']:,} bytes"] = (
                f"one pair {measured['pair_us']:.0f} µs, 10 versions {measured['ten_us']:.0f} µs, 100 versions {measured['hundred_us']:.0f} µs "
                f"(×{measured['linearity']:.1f}, wanted ≤ 12); to parse one {measured['parse_us']:.0f} µs")
        for cache in ("64MiB", "256MiB"):
            self.compat_over_http(program, cache)

    def compat_over_http(self, program, cache):
        flags = ("--database-url", "sqlite://" + os.path.join(self.run, f"compat-{cache}.sqlite"), "--bootstrap-servers", "127.0.0.1:1")
        server = self.serve(f"compat-{cache}", *flags, "--cache-size", cache)
        client = Client(server)

        def text(name, version):
            return subprocess.run([program, "--text", name, str(version)], capture_output=True, text=True, check=True).stdout.strip()
        for name in FORMATS:
            subject = f"compat-{name}-value"
            client.ask("PUT", f"/config/{subject}", {"compatibility": "BACKWARD_TRANSITIVE"})
            for version in range(1, 101):
                client.register(subject, name, text(name, version))
            body = {"schemaType": name.upper(), "schema": text(name, 101)}
            path = f"/compatibility/subjects/{subject}/versions"
            if json.loads(client.ask("POST", path, body)) != {"is_compatible": True}:
                raise Failed(f"{name}: versions are not compatible")
            before = metric(server, "sluice_registry_parsed_total")
            took = [milliseconds(lambda: client.ask("POST", path, body))[0] for _ in range(30)]
            parsed = (metric(server, "sluice_registry_parsed_total") - before) / len(took)
            self.facts[f"POST /compatibility, {name}, 100 versions, caches of {cache}"] = (
                f"median {statistics.median(took):.1f} ms, {parsed:.1f} schemas parsed for each")
        server.stop()

    def flat(self, count=100_000):
        database = postgres.Server(os.path.join(self.run, "pg-flat"), durable=True).begin().ready()
        server = self.serve("flat", "--database-url", database.url(), "--bootstrap-servers", "127.0.0.1:1", cores="0,1")
        load = start(["taskset", "-c", "0,1", "wrk", "-t", "1", "-c", "16", "-d", "1200", "-s", os.path.join(HERE, "register.lua"),
                      server.registry, "--", "new", "flat"], os.path.join(self.run, "flat.log"))
        seen = []
        while not seen or seen[-1][1] < count:
            time.sleep(0.25)
            if load.poll() is not None:
                raise Failed("the load ended before its time")
            seen.append((time.monotonic(), metric(server, 'sluice_registry_registrations_total{outcome="written"}')))
        stop(load)

        def rate(low, high):
            inside = [(at, number) for at, number in seen if low <= number <= high]
            (began, first), (ended, last) = inside[0], inside[-1]
            return (last - first) / (ended - began)
        # The very first are the start of the load.
        first, last = rate(count * 0.005, count * 0.1), rate(count * 0.9, count * 1.01)
        self.row("flat", last, first, "registrations/s", f"the first tenth of {count:,}; 16 connections, Postgres with fsync on")
        server.stop()
        database.stop()

    def list(self):
        database = postgres.Server(os.path.join(self.run, "pg-list")).begin().ready()
        flags = ("--database-url", database.url(), "--bootstrap-servers", "127.0.0.1:1")
        server = self.serve("list-fill", *flags, cores="0,1")
        self.register_many(server, 1_000)
        server.stop()
        database.sql(open(os.path.join(HERE, "multiply.sql")).read())
        server = self.serve("list", *flags)
        client = Client(server)
        first, names = milliseconds(lambda: client.ask("GET", "/subjects"))
        count = len(json.loads(names))
        _, late = self.wrk(f"{server.registry}/subjects", connections=1, seconds=3)
        self.facts[f"GET /subjects, {count:,} subjects, p99, ms (wanted ≤ 50)"] = late
        _, late = self.wrk(f"{server.registry}/subjects", connections=4, seconds=3)
        self.facts["GET /subjects over 4 connections at once, p99, ms"] = late
        changed = []
        for number in range(100):
            subject = f"changed-{number}-value"
            client.register(subject, "avro", of_one_kb("avro", number))
            took, names = milliseconds(lambda: client.ask("GET", "/subjects"))
            if f'"{subject}"'.encode() not in names:
                raise Failed(f"{subject} is not in the list")
            changed.append(took)
        self.facts["GET /subjects, the first after a change, p99, ms (wanted ≤ 50)"] = round(percentile(changed, 99), 1)
        self.facts["GET /subjects, the first of all, ms"] = round(first, 1)
        for query in ("latestOnly=true&limit=1000", "latestOnly=true"):
            took, text = milliseconds(lambda: client.ask("GET", f"/schemas?{query}"))
            again, _ = milliseconds(lambda: client.ask("GET", f"/schemas?{query}"))
            self.facts[f"GET /schemas?{query}, ms"] = f"{took:.0f}, again {again:.0f} ({len(text):,} bytes)"
        self.facts["memory after these lists, MB"] = round(resident_mb(server), 1)
        server.stop()
        database.stop()

    def caches(self, cap_mib=8, count=20_000):
        def serve(name, cache):
            flags = ("--database-url", "sqlite://" + os.path.join(self.run, f"{name}.sqlite"), "--bootstrap-servers", "127.0.0.1:1")
            return self.serve(name, *flags, "--cache-size", cache, cores="0,1")
        for name in FORMATS:
            server = serve(f"weights-{name}", "256MiB")
            client = Client(server)
            for number in range(500):
                client.register(f"weights-{number}-value", name, of_one_kb(name, number))
            held = {part: metric(server, f'sluice_registry_cache_bytes{{cache="{part}"}}')
                    / max(1, metric(server, f'sluice_registry_cache_entries{{cache="{part}"}}')) for part in ("schemas", "contents")}
            self.facts[f"bytes of a cached schema of {len(of_one_kb(name, 1)):,} bytes, {name}"] = (
                f"{held['schemas']:,.0f} parsed, {held['contents']:,.0f} its content")
            server.stop()
        server = serve("cap", f"{cap_mib}MiB")
        self.wrk(f"{server.registry}/subjects", connections=4, seconds=1)
        client = Client(server)
        before, most, text_bytes = resident_mb(server), 0, 0
        for number in range(count):
            name = FORMATS[number % 3]
            text = of_one_kb(name, number)
            text_bytes += len(text)
            schema_id = client.register(f"cap-{number}-value", name, text)
            client.ask("GET", f"/schemas/ids/{schema_id}")
            if number % 1_000 == 0:
                most = max(most, resident_mb(server))
        most = max(most, resident_mb(server))
        held = sum(metric(server, f'sluice_registry_cache_bytes{{cache="{part}"}}') for part in
                   ("contents", "schemas", "subjects", "settings", "answers_by_id", "answers_by_request", "schemas_by_text", "names"))
        self.facts[f"caches after {text_bytes / 2**20:.0f} MiB of schemas, MiB (wanted ≤ {cap_mib})"] = round(held / 2**20, 1)
        self.facts[f"memory gained meanwhile, MB (wanted ≤ {cap_mib * 2 + 8})"] = round(most - before, 1)
        server.stop()

    def storm(self):
        database = postgres.Server(os.path.join(self.run, "pg-storm"), durable=True).begin().ready()
        server = self.serve("storm", "--database-url", database.url(), "--bootstrap-servers", "127.0.0.1:1", cores="0,1")
        schema_id = Client(server).register("calm-value", "avro", of_one_kb("avro", 1))
        url = f"{server.registry}/schemas/ids/{schema_id}"

        def gets():
            return self.wrk(url, connections=4, script="paced.lua", arguments=("5",), cores="0,1")[1]
        calm = gets()
        log = os.path.join(self.run, "storm.log")
        writers = start(["nice", "-n", "5", sys.executable, os.path.join(HERE, "storm.py"), str(server.registry_port)], log)

        def took():
            with open(log) as file:
                lines = [line.split() for line in file.read().splitlines()]
            if any(len(line) != 2 for line in lines):
                raise Failed(f"the writers said: {lines}")
            return [(name, float(ms)) for name, ms in lines]
        wait_until(lambda: len({name for name, _ in took()}) == 3, writers, "the writers")
        before = len(took())
        began = time.monotonic()
        late = gets()
        seconds, registered = time.monotonic() - began, took()[before:]
        stop(writers)
        self.facts["GET by id under a storm of 1 MB registrations, p99, ms (wanted ≤ 5)"] = f"{late} (calm: {calm}; server, Postgres, load on 2 cores)"
        each = ", ".join(f"{name} {statistics.median([ms for other, ms in registered if other == name] or [0]):.0f} ms" for name in ("AVRO", "PROTOBUF", "JSON"))
        self.facts["1 MB registrations meanwhile"] = f"{len(registered) / seconds:.1f} per s; median {each}"
        server.stop()
        database.stop()
