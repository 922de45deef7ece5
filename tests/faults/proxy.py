"""A proxy as http_proxy and https_proxy name one, between a command and S3: slow, narrow, cutting,
garbling, or away.
"""

import asyncio
import re
import socket
import struct
import threading
from urllib.parse import urlsplit

PIECE = 16 << 10
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Proxy:
    """Forwards requests and tunnels CONNECT, in a thread of its own.

    Tests may set, at any time: `latency`, seconds before a request goes on; `rate`, bytes a second
    for all answers together; `cut()`, which is asked for each connection and returns after how many
    bytes of answers it is reset (None: never); `garble(data)`, through which all bytes of answers
    go; `page`, (status, body) with which the proxy answers by itself. `requests`, `connections`,
    `cuts` and `passed` (bytes) count.
    """

    def __init__(self):
        self.latency = self.rate = 0.0
        self.cut, self.garble, self.page = (lambda: None), None, None
        self.requests = self.connections = self.cuts = self.passed = 0
        self.free = 0.0
        self.port = 0
        self.errors = []

    def __enter__(self):
        ready = threading.Event()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.live, args=(ready,), name="proxy", daemon=True)
        self.thread.start()
        ready.wait()
        return self

    def __exit__(self, kind, error, trace):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        if self.errors and kind is None:
            raise AssertionError(f"inside the proxy: {self.errors[0]!r}")

    @property
    def env(self):
        """What a user sets."""
        url = f"http://127.0.0.1:{self.port}"
        return {"http_proxy": url, "https_proxy": url, "no_proxy": "", "NO_PROXY": ""}

    def live(self, ready):
        """Be the proxy's thread."""
        asyncio.set_event_loop(self.loop)
        # of connections that tests break off
        self.loop.set_exception_handler(lambda loop, context: None)
        self.loop.run_until_complete(self.listen())
        ready.set()
        self.loop.run_forever()
        self.server.close()
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self.loop.close()

    async def listen(self):
        """Open the door, always the same one."""
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    def shut(self):
        """Refuse connections from now on; those that there are go on."""
        self.loop.call_soon_threadsafe(self.server.close)

    def open(self):
        """Take connections again."""
        asyncio.run_coroutine_threadsafe(self.listen(), self.loop).result(5)

    async def serve(self, reader, writer):
        """Be one connection."""
        self.connections += 1
        there, down = None, None
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.requests += 1
                await asyncio.sleep(self.latency)
                method, target, rest = head.split(b" ", 2)
                if self.page:
                    status, body = self.page
                    writer.write(
                        b"HTTP/1.1 %d Of The Proxy\r\nContent-Type: text/html\r\nContent-Length: "
                        b"%d\r\n\r\n" % (status, len(body)))
                    writer.write(b"" if method == b"HEAD" else body)
                    continue
                if not there:
                    url = urlsplit(target.decode() if method != b"CONNECT"
                                   else f"//{target.decode()}")
                    there = await asyncio.open_connection(url.hostname, url.port)
                    down = asyncio.ensure_future(self.bring(there[0], writer))
                if method == b"CONNECT":
                    writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    await self.carry(reader, there[1])
                    return
                path = target[target.index(b"/", len(b"http://")):]
                there[1].write(b" ".join((method, path, rest)))
                await there[1].drain()
                length = LENGTH.search(head)
                await self.carry(reader, there[1], int(length[1]) if length else 0)
        except (asyncio.IncompleteReadError, OSError):
            pass
        except Exception as error:
            self.errors.append(error)
        finally:
            for end in (writer, there and there[1]):
                if end:
                    end.close()
            if down:
                down.cancel()

    async def carry(self, reader, writer, left=1 << 62):
        """Bring what the client sends, through a tunnel or the `left` bytes of a body."""
        while left and (data := await reader.read(min(left, PIECE))):
            await asyncio.sleep(self.latency)
            writer.write(data)
            await writer.drain()
            left -= len(data)

    async def bring(self, reader, writer):
        """Bring S3's answers, as narrow and as far as they may come."""
        left = self.cut()
        try:
            while data := await reader.read(PIECE):
                if self.rate:
                    now = self.loop.time()
                    self.free = max(now, self.free) + len(data) / self.rate
                    await asyncio.sleep(self.free - now)
                data = self.garble(data) if self.garble else data
                if left is not None and len(data) >= left:
                    writer.write(data[:left])
                    await asyncio.sleep(0.01)
                    self.cuts += 1
                    linger = struct.pack("ii", 1, 0)        # close() then sends RST instead of FIN
                    (writer.get_extra_info("socket")
                     .setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger))
                    writer.transport.abort()
                    return
                left = None if left is None else left - len(data)
                self.passed += len(data)
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()
