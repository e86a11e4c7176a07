"""Several nodes on one Postgres, no leader: what one writes the others have, and what a node does that is cut off.

Every node reaches Postgres through a proxy of its own, which delays, drops or cuts. Nothing here needs Kafka.
"""
import itertools
import os
import random
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.processes import say, wait_until
from harness.proxy import Proxy
from harness.sluice import Sluice

LEVELS = ("BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE")
# Any two of them are incompatible under one tag.
TYPES = ("int32", "string", "double", "float")
WRITERS = 16
# Generous: a busy machine must not fail what an idle one does in milliseconds. The figure is a row of the bench.
SOON = 20
# Far below any client's patience, far above what it takes.
QUICKLY = 12


class Node(Sluice):
    """A node whose way to Postgres is `proxy`."""

    def __init__(self, home, database):
        address = database.rsplit("@", 1)[1]
        port, name = address.split(":")[1].split("/")
        self.proxy = Proxy(int(port))
        url = f"postgres://postgres@127.0.0.1:{self.proxy.port}/{name}"
        super().__init__(home, "--database-url", url, "--bootstrap-servers", "127.0.0.1:1")

    def post(self, path, body):
        return self.request("POST", self.registry + path, body)

    def put(self, path, body):
        return self.request("PUT", self.registry + path, body)

    def delete(self, path):
        return self.request("DELETE", self.registry + path)

    def read(self, path):
        return self.get(self.registry + path)

    def register(self, subject, schema, **more):
        return self.post(f"/subjects/{subject}/versions", {"schemaType": "PROTOBUF", "schema": schema} | more)

    def details(self):
        """The registry's part of readiness: status and details."""
        return self.get(self.management + "/readyz/registry")

    def eventually(self, what, condition):
        """Waits for it; the milliseconds it took."""
        began = time.monotonic()
        wait_until(condition, self.child, what, SOON)
        return (time.monotonic() - began) * 1000


@pytest.fixture
def new_nodes(tmp_path, new_database):
    """Makes nodes on one new database; all of them begin before the first is waited for."""
    made = []

    def make(count=2):
        database = new_database()
        nodes = [Node(str(tmp_path / f"node-{len(made) + number}"), database) for number in range(count)]
        made.extend(nodes)
        for node in nodes:
            node.begin()
        for node in nodes:
            node.ready()
            # Both hear each other before a test begins.
            wait_until(lambda: node.details()[1]["details"]["notified"], node.child, "notifications", SOON)
        return nodes
    yield make
    for node in made:
        node.proxy.let_pass()
        node.stop()
        node.proxy.stop()


@pytest.fixture
def pair(new_nodes):
    return new_nodes(2)


def proto(*types):
    """A message with one field of each type."""
    fields = " ".join(f"{kind} f{tag} = {tag};" for tag, kind in enumerate(types, 1))
    return f'syntax = "proto3"; message M {{ {fields} }}'


def types_of(schema):
    """The types of the fields of `proto`, in order of their tags."""
    fields = [line.split() for line in schema.splitlines() if "=" in line and "syntax" not in line]
    return [kind for _, kind in sorted((int(tag.rstrip(";")), kind) for kind, _, _, tag in fields)]


def new_subject():
    return f"s-{uuid.uuid4().hex[:8]}-value"


# --- what one node writes is on the other


def test_nodes_that_start_together_on_an_empty_database_all_serve(new_nodes):
    nodes = new_nodes(4)
    subject = new_subject()
    ids = {node.register(subject, proto("int32"))[1]["id"] for node in nodes}
    assert ids == {1}, "one content, one id, whoever registers it"


def test_what_one_node_registers_is_on_the_other_at_once_by_id_by_version_and_by_latest(pair):
    one, other = pair
    subject = new_subject()
    # Its notifications come late: nothing below may rest on them.
    other.proxy.delay(0.1)
    for count in range(1, 6):
        status, made = one.register(subject, proto(*["int32"] * count))
        assert (status, made["version"]) == (200, count)
        assert other.read(f"/subjects/{subject}/versions/latest")[1]["version"] == count
        assert other.read(f"/subjects/{subject}/versions/{count}")[1]["id"] == made["id"]
        assert other.read(f"/schemas/ids/{made['id']}")[1]["schema"] == made["schema"]
        status, found = other.post(f"/subjects/{subject}", {"schemaType": "PROTOBUF", "schema": made["schema"]})
        assert (status, found["version"]) == (200, count)


def test_what_one_node_registers_is_soon_in_the_lists_of_the_other(pair):
    subjects, longest = [], 0
    for number, (one, other) in enumerate(itertools.islice(itertools.cycle([pair, pair[::-1]]), 10)):
        subject = new_subject()
        assert one.register(subject, proto("int32"))[0] == 200
        subjects.append(subject)
        assert other.read(f"/subjects/{subject}/versions") == (200, [1])
        assert one.register(subject, proto("int32", "string"))[0] == 200
        took = other.eventually("the list of versions", lambda: other.read(f"/subjects/{subject}/versions")[1] == [1, 2])
        longest = max(longest, took)
        assert other.read("/subjects")[1] == sorted(subjects)
        latest = other.read(f"/schemas?subjectPrefix={subject}&latestOnly=true")[1]
        assert [(entry["subject"], entry["version"]) for entry in latest] == [(subject, 2)]
        assert one.delete(f"/subjects/{subject}/versions/1")[0] == 200
        took = other.eventually("the list without it", lambda: other.read(f"/subjects/{subject}/versions")[1] == [2])
        longest = max(longest, took)
    say(f"in the other node's lists after {longest:.0f} ms at most")


def test_config_mode_and_alias_written_on_one_node_hold_on_the_other(pair):
    one, other = pair
    subject, alias = new_subject(), new_subject()
    # Both know the subject and its settings.
    for node in pair:
        assert node.register(subject, proto("int32"))[0] == 200
        assert node.register(subject, proto("string"))[1]["error_code"] == 40901
    assert one.put(f"/config/{subject}", {"compatibility": "NONE"})[0] == 200
    assert other.read(f"/config/{subject}")[1]["compatibilityLevel"] == "NONE"
    took = [other.eventually("the level", lambda: other.register(subject, proto("string"))[0] == 200)]

    assert one.put(f"/mode/{subject}", {"mode": "READONLY"})[0] == 200
    assert other.read(f"/mode/{subject}")[1]["mode"] == "READONLY"
    took.append(other.eventually("the mode", lambda: other.register(subject, proto("double"))[1].get("error_code") == 42205))
    assert one.put(f"/mode/{subject}", {"mode": "READWRITE"})[0] == 200
    took.append(other.eventually("the mode", lambda: other.register(subject, proto("double"))[0] == 200))

    assert other.read(f"/subjects/{alias}/versions/latest")[1]["error_code"] == 40401
    assert one.put(f"/config/{alias}", {"alias": subject})[0] == 200
    took.append(other.eventually("the alias", lambda: other.read(f"/subjects/{alias}/versions/latest")[0] == 200))
    assert one.delete(f"/config/{alias}")[0] == 200
    took.append(other.eventually("no alias", lambda: other.read(f"/subjects/{alias}/versions/latest")[0] == 404))

    # At the top: a level and a mode that every subject inherits.
    assert one.put("/config", {"compatibility": "FORWARD"})[0] == 200
    assert other.read("/config")[1]["compatibilityLevel"] == "FORWARD"
    assert other.put("/mode", {"mode": "READONLY"})[0] == 200
    took.append(one.eventually("the mode", lambda: one.register(new_subject(), proto("int32"))[1].get("error_code") == 42205))
    say(f"settings hold on the other node after {max(took):.0f} ms at most")


# --- races


@pytest.mark.parametrize("level", LEVELS)
def test_thirty_two_writers_on_two_nodes_never_let_an_incompatible_pair_in(pair, level):
    subject = new_subject()
    assert pair[0].put(f"/config/{subject}", {"compatibility": level})[0] == 200
    assert pair[0].register(subject, proto("int32"))[0] == 200

    def write(writer):
        """Builds on what is the latest now, as many others do this very moment."""
        node, chance, outcomes = pair[writer % 2], random.Random(writer), []
        for _ in range(3):
            latest = types_of(node.read(f"/subjects/{subject}/versions/latest")[1]["schema"])
            status, answer = node.register(subject, proto(*latest, chance.choice(TYPES)))
            outcomes.append(answer["version"] if status == 200 else answer["error_code"])
        return outcomes
    with ThreadPoolExecutor(2 * WRITERS) as pool:
        outcomes = list(itertools.chain.from_iterable(pool.map(write, range(2 * WRITERS))))

    acknowledged = sorted({1} | set(outcomes) - {40901})
    assert acknowledged == list(range(1, len(acknowledged) + 1)), "every number was acknowledged to somebody"
    for node in pair:
        node.eventually("all versions", lambda: node.read(f"/subjects/{subject}/versions") == (200, acknowledged))
    assert outcomes.count(40901) > 0, "nobody raced"
    schemas = [types_of(pair[1].read(f"/subjects/{subject}/versions/{version}")[1]["schema"]) for version in acknowledged]
    for before, after in itertools.pairwise(schemas):
        assert after[:-1] == before, f"{after} follows {before}"


def test_a_schema_is_deleted_or_referred_to_but_never_both(pair):
    referrer = 'syntax = "proto3"; import "m.proto"; message R { M m = 1; }'
    won = set()
    for number in range(30):
        one, other = pair if number % 2 else pair[::-1]
        target, referring = new_subject(), new_subject()
        assert one.register(target, proto("int32"))[0] == 200
        references = [{"name": "m.proto", "subject": target, "version": 1}]
        with ThreadPoolExecutor(2) as pool:
            deletes = pool.submit(one.delete, f"/subjects/{target}")
            registers = pool.submit(other.register, referring, referrer, references=references)
        (deleted, why_not), (registered, answer) = deletes.result(), registers.result()
        if registered == 200:
            assert (deleted, why_not["error_code"]) == (422, 42206)
            assert other.read(f"/subjects/{target}/versions/1/referencedby")[1] == [answer["id"]]
        else:
            assert (deleted, answer["error_code"]) == (200, 42201)
            assert other.read(f"/subjects/{referring}/versions")[1]["error_code"] == 40401
        won.add(registered)
    say(f"answers to the registrations: {sorted(won)}")


# --- cut off


def known_to(node):
    """Registers a subject with two versions and reads it, so that the node knows it; subject and id."""
    subject = new_subject()
    assert node.register(subject, proto("int32"))[0] == 200
    status, made = node.register(subject, proto("int32", "string"))
    assert status == 200
    for path in (f"/schemas/ids/{made['id']}", f"/subjects/{subject}/versions", f"/subjects/{subject}/versions/latest",
                 f"/subjects/{subject}/versions/1", f"/config/{subject}?defaultToGlobal=true"):
        assert node.read(path)[0] == 200, path
    return subject, made["id"]


def serves_what_it_knows(node, subject, number):
    assert node.read(f"/schemas/ids/{number}")[0] == 200
    assert node.read(f"/subjects/{subject}/versions") == (200, [1, 2])
    assert node.read(f"/subjects/{subject}/versions/latest")[1]["version"] == 2
    assert node.read(f"/subjects/{subject}/versions/1")[0] == 200
    assert node.read(f"/config/{subject}?defaultToGlobal=true")[0] == 200
    assert node.register(subject, proto("int32", "string"))[1]["id"] == number


@pytest.mark.parametrize("fault", ["cut", "drop"])
def test_a_node_cut_off_serves_what_it_knows_refuses_writes_quickly_and_recovers_alone(pair, fault):
    one, other = pair
    subject, number = known_to(one)
    assert one.details()[1]["details"] | {"store_silent_ms": 0} == {"store": "answers", "store_silent_ms": 0, "notified": True, "stale": False}

    getattr(one.proxy, fault)()
    outcomes, slowest = {}, 0
    for attempt in range(5):
        name = new_subject()
        began = time.monotonic()
        status, answer = one.register(name, proto("int32"))
        slowest = max(slowest, time.monotonic() - began)
        assert status == 500 and answer["error_code"] in (50001, 50002), answer
        outcomes[name] = answer["error_code"]
    assert slowest < QUICKLY
    assert answer["error_code"] == 50001, "once it knows, it does not even try"
    serves_what_it_knows(one, subject, number)
    one.eventually("what is stale is called so", lambda: one.details()[1]["details"]["stale"])
    assert one.is_ready(), "a database that is away is a detail, not a reason to restart every node"
    say(f"{fault}: the slowest refusal took {slowest * 1000:.0f} ms")

    # The others do not notice.
    assert other.register(subject, proto("int32", "string", "double"))[1]["version"] == 3
    assert other.register(new_subject(), proto("float"))[0] == 200

    one.proxy.let_pass()
    took = one.eventually("recovery", lambda: one.register(new_subject(), proto("int32"))[0] == 200)
    one.eventually("readiness", lambda: one.details()[0] == 200 and not one.details()[1]["details"]["stale"])
    one.eventually("what was missed", lambda: one.read(f"/subjects/{subject}/versions")[1] == [1, 2, 3])
    one.eventually("notifications", lambda: one.details()[1]["details"]["notified"])
    say(f"{fault}: writing again after {took:.0f} ms")
    subjects = one.read("/subjects")[1]
    refused = [name for name, code in outcomes.items() if code == 50001]
    assert not set(refused) & set(subjects), "50001 means: surely not written"


def test_many_clients_of_a_node_cut_off_wait_no_longer_than_one(pair):
    node, _ = pair
    node.proxy.drop()

    def write(_):
        began = time.monotonic()
        status, answer = node.register(new_subject(), proto("int32"))
        assert status == 500 and answer["error_code"] in (50001, 50002), answer
        return time.monotonic() - began
    with ThreadPoolExecutor(64) as pool:
        waits = list(pool.map(write, range(200)))
    assert max(waits) < QUICKLY
    say(f"200 refusals to 64 clients: the slowest took {max(waits) * 1000:.0f} ms")
    node.proxy.let_pass()
    node.eventually("recovery", lambda: node.register(new_subject(), proto("int32"))[0] == 200)


def test_a_node_that_flaps_never_serves_what_it_missed(pair):
    one, other = pair
    subject, _ = known_to(one)
    for round_, fault in enumerate(["cut", "drop", "cut", "drop"], 3):
        getattr(one.proxy, fault)()
        assert other.register(subject, proto("int32", "string", *["double"] * (round_ - 2)))[1]["version"] == round_
        one.proxy.let_pass()
        one.eventually("the new version", lambda: one.read(f"/subjects/{subject}/versions")[1] == list(range(1, round_ + 1)))


def test_over_a_slow_link_everything_works_only_slower(pair):
    one, other = pair
    one.proxy.delay(0.15)
    subject, number = known_to(one)
    assert other.read(f"/schemas/ids/{number}")[0] == 200
    assert other.put(f"/config/{subject}", {"compatibility": "NONE"})[0] == 200
    one.eventually("the level", lambda: one.register(subject, proto("string"))[0] == 200)
    assert one.details()[1]["details"]["store"] == "answers"
    assert os.path.exists(one.log) and "is down" not in one.log_tail(1000), one.log_tail()
