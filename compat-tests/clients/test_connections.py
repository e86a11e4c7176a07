"""What connections cost and cannot cost: ten thousand of them, slow ones, and those that never read."""
import json
import resource
import socket
import time
import warnings

import pytest

from harness.processes import wait_until

WANTED = 10_000
# What the test and the server need beside the connections.
SPARE = 1_000
MIB = 1024 * 1024


@pytest.fixture
def many():
    """How many connections this process may open; fewer than wanted is said aloud."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = WANTED + SPARE
    allowed = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    count = min(WANTED, allowed - SPARE)
    if count < WANTED:
        warnings.warn(f"only {count} instead of {WANTED} connections: the hard limit of open files is {hard}")
    yield count
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def lone(start, tmp_path):
    """Makes servers that need no Kafka, on SQLite."""
    def make(*flags, **options):
        return start("--database-url", f"sqlite://{tmp_path}/s.sqlite", "--bootstrap-servers", "127.0.0.1:1", *flags, **options)
    return make


def rss(server):
    """Resident bytes of the server."""
    with open(f"/proc/{server.child.pid}/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def descriptors(server):
    import os
    return len(os.listdir(f"/proc/{server.child.pid}/fd"))


def connect(server, port=None):
    return socket.create_connection(("127.0.0.1", port or server.registry_port), 30)


GET = b"GET /schemas/types HTTP/1.1\r\nHost: x\r\n\r\n"


def status_of(connection, request=GET):
    """The status of one answer; 0 when the connection ended without one."""
    try:
        connection.sendall(request)
        answer = connection.recv(65536)
    except ConnectionError:
        return 0
    return int(answer.split(b" ")[1]) if answer else 0


def keep_alive(server, count):
    """`count` connections that had an answer each and stay open."""
    opened = []
    for at in range(count):
        opened.append(connect(server, server.registry_port if at % 2 else server.rest_port))
        opened[-1].sendall(GET)
    for connection in opened:
        assert connection.recv(65536).startswith(b"HTTP/1.1 200"), f"one of the first {count} was not served"
    return opened


def test_ten_thousand_open_connections_are_served_and_given_back(lone, many):
    server = lone()
    before, idle = descriptors(server), rss(server)
    opened = keep_alive(server, many)
    assert descriptors(server) >= before + many, "they are open on the server's side as well"
    # a new client, on each listener, and one of the old ones
    for connection in (connect(server), connect(server, server.rest_port), opened[0], opened[-1]):
        assert status_of(connection) == 200
    assert server.get(server.management + "/readyz")[0] == 200
    grown = rss(server) - idle
    assert grown < many * 40 * 1024 + 32 * MIB, f"{grown / MIB:.0f} MiB for {many} connections"
    for connection in opened:
        connection.close()
    wait_until(lambda: descriptors(server) <= before + 8, server.child, "the return of descriptors", 30)
    assert server.get(server.registry + "/subjects") == (200, [])


def test_what_is_over_the_cap_is_refused_and_management_answers(lone):
    server = lone("--max-connections", "100")
    opened = keep_alive(server, 100)
    for _ in range(50):
        refused = connect(server)
        answer = refused.recv(65536)
        assert answer.startswith(b"HTTP/1.1 503") and b"Retry-After: 1" in answer, answer
        assert json.loads(answer.split(b"\r\n\r\n")[1])["error_code"] == 503
        refused.close()
    assert server.get(server.management + "/readyz")[0] == 200, "health answers when the APIs are full"
    assert status_of(opened[42]) == 200, "those who are in are served"
    opened.pop().close()
    wait_until(lambda: status_of(connect(server)) == 200, server.child, "a free place", 10)


def test_with_few_open_files_allowed_the_cap_is_lowered_and_said(lone):
    few = 600  # 512 of them are kept for everything else, but at most half
    server = lone(preexec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (few, few)))
    assert "at most 300 connections are taken instead of 10240" in server.log_tail()
    opened = keep_alive(server, 300)
    statuses = [status_of(connect(server)) for _ in range(400)]
    assert set(statuses) <= {0, 503}, "refused, not left waiting"
    assert server.get(server.management + "/readyz")[0] == 200
    assert status_of(opened[0]) == 200


def test_a_low_soft_limit_is_raised(lone):
    server = lone(preexec=lambda: resource.setrlimit(
        resource.RLIMIT_NOFILE, (256, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    opened = keep_alive(server, 400)
    assert len(opened) == 400 and status_of(connect(server)) == 200


def dribble(connection, head, byte=b"x", seconds=60.0):
    """Sends `head`, then a byte a second until the server has had enough; what it said, and after how long."""
    began = time.monotonic()
    connection.sendall(head)
    connection.settimeout(1)
    answer = b""
    while time.monotonic() - began < seconds:
        try:
            piece = connection.recv(65536)
            answer += piece
            if not piece:
                break
        except TimeoutError:
            try:
                connection.sendall(byte)
            except ConnectionError:
                break
        except ConnectionError:
            break
    return answer, time.monotonic() - began


def test_a_body_of_a_byte_a_second_is_answered_408(lone):
    server = lone()
    head = b"POST /subjects/s/versions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
    answer, took = dribble(connect(server), head, b" ")
    assert answer.startswith(b"HTTP/1.1 408"), answer
    assert took < 10, f"{took:.0f} s: two for the first byte, then 64 KiB/s"


def test_a_head_of_a_byte_a_second_is_cut_off(lone):
    server = lone()
    answer, took = dribble(connect(server), b"GET /subjects HTTP/1.1\r\nX-Slow: ")
    assert b" 200 " not in answer
    assert 25 < took < 45, f"{took:.0f} s: thirty for a head, however it comes"


def test_a_client_that_never_reads_its_reports_stops_its_own_stream(start, bootstrap, new_topic, tmp_path):
    server = start("--database-url", f"sqlite://{tmp_path}/s.sqlite", "--bootstrap-servers", bootstrap)
    topic = new_topic(bootstrap)
    path = f"/v3/clusters/any/topics/{topic}/records"
    record = json.dumps({"value": {"type": "STRING", "data": "x" * 100}}).encode()
    assert server.request("POST", server.rest + path, record)[0] == 200
    before = rss(server)
    streams = []
    for _ in range(10):
        stream = connect(server, server.rest_port)
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stream.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                       "Transfer-Encoding: chunked\r\n\r\n".encode())
        stream.setblocking(False)
        streams.append([stream, 0])
    piece = record * 500
    chunk = b"%x\r\n%s\r\n" % (len(piece), piece)
    # until nobody takes any more for a while
    moved = time.monotonic()
    while time.monotonic() - moved < 3:
        for stream in streams:
            try:
                stream[1] += stream[0].send(chunk[stream[1] % len(chunk):])
                moved = time.monotonic()
            except BlockingIOError:
                pass
        assert sum(taken for _, taken in streams) < 1024 * MIB, "the server reads on although nobody reads its reports"
        time.sleep(0.001)
    grown = rss(server) - before
    assert grown < 160 * MIB, f"{grown / MIB:.0f} MiB for ten such clients"
    assert server.request("POST", server.rest + path, record)[0] == 200, "others are served"
