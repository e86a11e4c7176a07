#!/usr/bin/env python3
"""Replays the recorded exchanges of the reference servers against `sluice serve` on real Postgres and real Kafka.

A scenario must pass unless a list beside this file names it:
  not-yet.txt     scenarios not expected to pass yet, and what they wait for. One that passes must leave it.
  on-purpose.txt  scenarios that differ deliberately; each line gives the reason, told in full in docs/differences.md.
Lines are `corpus/scenario: reason`.

Message texts of the registry are scored: 98% must be equal, the kinds of foreign text in texts-aside.txt aside.

    run.py [--list-failing]     prints failing scenarios as lines for not-yet.txt
Needs SLUICE_TEST_DATABASE_URL and SLUICE_TEST_BOOTSTRAP_SERVERS, as `make test` sets them.
"""
import glob
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from harness import postgres, processes  # noqa: E402
from harness.processes import CACHE, Failed, say  # noqa: E402
from harness.sluice import Sluice  # noqa: E402


LEAST_EQUAL_TEXTS = 0.98


def needed(variable):
    value = os.environ.get(variable)
    if not value:
        raise Failed(f"{variable} is not set: run `make test` or `make golden`")
    return value


def read_list(name):
    """Scenario → reason of a list file."""
    entries = {}
    with open(os.path.join(HERE, name)) as file:
        for number, line in enumerate(file, 1):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            scenario, colon, reason = line.partition(": ")
            if not colon or not reason:
                raise Failed(f"{name}:{number}: a line is `corpus/scenario: reason`")
            if scenario in entries:
                raise Failed(f"{name}:{number}: {scenario} stands twice")
            entries[scenario] = reason
    return entries


def foreign_texts():
    """What texts-aside.txt lists: the kinds of text that are scored apart."""
    patterns = []
    with open(os.path.join(HERE, "texts-aside.txt")) as file:
        for number, line in enumerate(file, 1):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            reason, colon, pattern = line.partition(": ")
            if not colon or not pattern:
                raise Failed(f"texts-aside.txt:{number}: a line is `reason: regular expression`")
            patterns.append((reason, re.compile(pattern)))
    return patterns


def score_texts(scenarios):
    """The share of equal texts among those that are not foreign, told; and the scenarios' steps that differ."""
    patterns = foreign_texts()
    used, foreign, equal, different = set(), [0, 0], 0, []
    for scenario in scenarios:
        for text in scenario["texts"]:
            lines = text["expected"] if isinstance(text["expected"], list) else [text["expected"]]
            kinds = [reason for reason, pattern in patterns if any(pattern.search(str(line)) for line in lines)]
            used.update(kinds)
            if kinds:
                foreign[not text["equal"]] += 1
            elif text["equal"]:
                equal += 1
            else:
                different.append(f"{scenario['scenario']}#{text['step']}")
    for reason, _ in patterns:
        if reason not in used:
            raise Failed(f"texts-aside.txt: no recorded text is of this kind: {reason}")
    share = equal / max(equal + len(different), 1)
    say(f"registry: message texts {share:.1%} equal ({equal} of {equal + len(different)}); "
        f"foreign ones, aside: {foreign[0]} of {sum(foreign)}")
    return share, different


def names(corpus, folder):
    return [os.path.basename(path)[:-len(".json")] for path in sorted(glob.glob(os.path.join(HERE, corpus, folder, "*.json")))]


def replay(corpus, folder, server, arguments, report):
    """Runs a checker; its output goes to a log beside `report`, its results come back by scenario."""
    script = os.path.join(HERE, corpus, "replay.py")
    url = server.registry if corpus == "registry" else server.rest
    command = [sys.executable, script, "check", url, os.path.join(HERE, corpus, folder), "--json", report, "--messages", *arguments]
    with open(report + ".log", "w") as log:
        # Its report shows paths with half a surrogate pair, which no encoding has.
        environment = os.environ | {"PYTHONIOENCODING": "utf-8:backslashreplace"}
        subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment)
    if not os.path.exists(report):
        raise Failed(f"the checker of {corpus}/{folder} died:\n{processes.tail(report + '.log')}")
    with open(report) as file:
        return json.load(file)


def registry(home, bootstrap):
    """Scenario → whether it passed, for the registry's corpus; steps passed and failed; each scenario's report."""
    database = postgres.new_database(needed("SLUICE_TEST_DATABASE_URL"), "golden")
    server = Sluice(os.path.join(home, "registry"), "--database-url", database, "--bootstrap-servers", bootstrap).begin().ready()
    report = replay("registry", "recorded", server, [], os.path.join(home, "registry.json"))
    server.stop()
    results = {f"registry/{s['scenario']}": s["failed"] == 0 for s in report["scenarios"]}
    steps = [report["passed"], report["failed"]]
    scenarios = list(report["scenarios"])
    # These scenarios need a server without any state before each.
    for name in names("registry", "recorded-empty"):
        database = "sqlite://" + os.path.join(home, f"{name}.sqlite")
        server = Sluice(os.path.join(home, name), "--database-url", database, "--bootstrap-servers", bootstrap).begin().ready()
        one = replay("registry", "recorded-empty", server, ["--only", name], os.path.join(home, f"{name}.json"))
        server.stop()
        results[f"registry/{name}"] = one["failed"] == 0
        scenarios += one["scenarios"]
        steps[0] += one["passed"]
        steps[1] += one["failed"]
    return results, steps, scenarios


def rest(home, bootstrap, skipped):
    """The same for the REST corpus, default profile, with the numbers of equal and of all texts; `skipped` scenarios
    are not run (they wait for routes that do not exist)."""
    database = postgres.new_database(needed("SLUICE_TEST_DATABASE_URL"), "golden")
    server = Sluice(os.path.join(home, "rest"), "--database-url", database, "--bootstrap-servers", bootstrap).begin().ready()
    wanted = [name for name in names("rest", "recorded") if f"rest/{name}" not in skipped]
    arguments = ["--bootstrap", bootstrap, "--registry", server.registry, "--jobs", "8", "--only", ",".join(wanted)]
    report = replay("rest", "recorded", server, arguments, os.path.join(home, "rest.json"))
    server.stop()
    results = {f"rest/{s['name']}": all(step["ok"] for step in s["steps"]) for s in report["scenarios"]}
    texts = [report["messages_equal"], report["messages_equal"] + report["messages_different"]]
    return results, [report["passed"], report["failed"]], texts


def main(arguments):
    processes.end_on_signals()
    not_yet, on_purpose = read_list("not-yet.txt"), read_list("on-purpose.txt")
    home = os.path.join(os.environ.get("SLUICE_TEST_RUN_DIR") or os.path.join(CACHE, "run", str(os.getpid())), "golden")
    os.makedirs(home, exist_ok=True)
    bootstrap = needed("SLUICE_TEST_BOOTSTRAP_SERVERS").split(",")[0]
    known = {f"registry/{name}" for folder in ("recorded", "recorded-empty") for name in names("registry", folder)}
    known |= {f"rest/{name}" for name in names("rest", "recorded")}
    for listed in [*not_yet, *on_purpose]:
        if listed not in known:
            raise Failed(f"{listed} is listed, but there is no such scenario")

    # REST scenarios that are listed are run only when asked: most of them wait a minute for what is not there.
    skipped = {name for name in not_yet if name.startswith("rest/")} if "--list-failing" not in arguments else set()
    outcome, steps, scenarios = registry(home, bootstrap)
    results = dict(outcome)
    say(f"registry: {sum(outcome.values())} of {len(outcome)} scenarios wholly right; steps {steps[0]} of {sum(steps)}")
    share, differing_texts = score_texts(scenarios)
    outcome, steps, texts = rest(home, bootstrap, skipped)
    results |= outcome
    say(f"rest: {sum(outcome.values())} of {len(outcome)} scenarios wholly right; steps {steps[0]} of {sum(steps)}; "
        f"texts {texts[0]} of {texts[1]}")

    if "--list-failing" in arguments:
        for name, passed in sorted(results.items()):
            if not passed and name not in on_purpose:
                print(f"{name}: {not_yet.get(name, '?')}")
        return 0
    broken = sorted(name for name, passed in results.items() if not passed and name not in not_yet and name not in on_purpose)
    healed = sorted(name for name, passed in results.items() if passed and (name in not_yet or name in on_purpose))
    for name in broken:
        corpus, scenario = name.split("/")
        print(f"FAIL {name} must pass: {HERE}/{corpus}/replay.py … --only {scenario}")
    for name in healed:
        print(f"FAIL {name} passes and must leave its list")
    poor = share < LEAST_EQUAL_TEXTS
    if poor:
        print(f"FAIL registry: {share:.2%} of the message texts are equal, at least {LEAST_EQUAL_TEXTS:.0%} must be; "
              f"different: {', '.join(differing_texts)}")
    if broken or healed:
        for log in glob.glob(os.path.join(home, "*.log")):
            print(processes.tail(log, 60))
    expected = len(results) - sum(1 for name in results if name in not_yet or name in on_purpose)
    print(f"{expected - len(broken)} passed, {len(broken) + len(healed) + poor} failed")
    return 1 if broken or healed or poor else 0


if __name__ == "__main__":
    processes.run_main(main)
