"""A TCP proxy that misbehaves on demand, between one client and one server."""
import asyncio
import contextlib
import socket
import struct
import threading

_CHUNK = 65536
# Chunks that one direction holds while nothing passes; then the sender feels it, as with a full window.
_HELD = 16


class Proxy:
    """Listens on `port` and forwards to `target` (a port of this machine). It starts by passing everything.

    `drop` is a cable pulled out: bytes, connects and closes go nowhere and nobody is told; what was on its way
    arrives when the cable is back, as TCP would send it again. `cut` resets every connection, now and from now on.
    """

    def __init__(self, target):
        self._target = target
        self._delay = 0.0
        self._cuts = False
        self._transports = set()
        self._loop = asyncio.new_event_loop()
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        started.wait()

    # --- what a test calls

    def let_pass(self):
        self._call(self._set, 0.0, False, True)

    def delay(self, seconds):
        """Every chunk arrives this much later, in both directions."""
        self._call(self._set, seconds, False, True)

    def drop(self):
        self._call(self._set, 0.0, False, False)

    def cut(self):
        self._call(self._set, 0.0, True, True)

    def connections(self):
        """Connections that are open now."""
        return len(self._transports) // 2

    def stop(self):
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    # --- on the proxy's thread

    def _run(self, started):
        asyncio.set_event_loop(self._loop)
        self._passes = asyncio.Event()
        self._passes.set()
        server = self._loop.run_until_complete(asyncio.start_server(self._accepted, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        self._loop.run_forever()
        server.close()
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self._loop.close()

    def _call(self, function, *arguments):
        done = threading.Event()

        def run():
            function(*arguments)
            done.set()
        self._loop.call_soon_threadsafe(run)
        done.wait()

    def _set(self, delay, cuts, passes):
        self._delay, self._cuts = delay, cuts
        if passes:
            self._passes.set()
        else:
            self._passes.clear()
        if cuts:
            for transport in list(self._transports):
                _reset(transport)

    async def _accepted(self, reader, writer):
        if self._cuts:
            return _reset(writer.transport)
        own = {writer.transport}
        self._transports |= own
        try:
            await self._passes.wait()
            if reader.at_eof() or self._cuts:
                # It gave up while the cable was out: its connect never arrived.
                return
            upstream, upstream_writer = await asyncio.open_connection("127.0.0.1", self._target)
            own.add(upstream_writer.transport)
            self._transports |= own
            await asyncio.gather(self._forward(reader, upstream_writer), self._forward(upstream, writer))
        except (OSError, asyncio.CancelledError):
            # Somebody closed or the proxy stops: both sides are reset below.
            pass
        finally:
            self._transports -= own
            for transport in own:
                _reset(transport)

    async def _forward(self, source, sink):
        """Chunks in order, each `delay` after it came; the end of the stream is one too."""
        chunks = asyncio.Queue(_HELD)

        async def receive():
            data = b"start"
            while data:
                try:
                    data = await source.read(_CHUNK)
                except OSError:
                    data = b""
                await chunks.put((self._loop.time() + self._delay, data))
        receiving = self._loop.create_task(receive())
        try:
            while True:
                due, data = await chunks.get()
                await asyncio.sleep(max(0.0, due - self._loop.time()))
                await self._passes.wait()
                if not data:
                    break
                sink.write(data)
                await sink.drain()
            if sink.can_write_eof():
                sink.write_eof()
        finally:
            receiving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await receiving


def _reset(transport):
    """Closes with RST instead of FIN."""
    plain = transport.get_extra_info("socket")
    if plain is not None and plain.fileno() >= 0:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
