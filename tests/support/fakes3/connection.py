"""One client connection: its requests are read, answered and logged, one after another."""

import asyncio
import traceback

from fakes3.arrivals import LINGER
from fakes3.reading import Reader
from fakes3.sending import SMALL, Sender, head_of


class Connection(asyncio.BufferedProtocol):
    """The protocol of one connection.

    Small, faultless answers are written straight from buffer_updated; everything else (latency,
    large bodies, faults) runs in a task, and the next request of the connection waits for it.

    `inbox` is where all connections of a server read into, one after another: asyncio's own 256 KiB
    for every read would be a page fault or two for every request.
    """

    def __init__(self, s3, inbox):
        self.s3, self.inbox = s3, inbox
        self.task = None
        self.fate = None            # the Interruption of the request that is coming; False: none

    def connection_made(self, transport):
        """Number the connection."""
        self.transport = transport
        self.s3.connections += 1
        self.reader = Reader(self.s3.connections, self.go_on)
        self.sender = Sender(transport)
        self.s3.live.add(self)
        transport.set_write_buffer_limits(high=1024 * 1024)

    def connection_lost(self, error):
        """Let nothing wait for a client that is gone."""
        self.s3.live.discard(self)
        if self.task:
            self.task.cancel()
        self.sender.resume()

    def pause_writing(self):
        """Wait for the client."""
        self.sender.pause()

    def resume_writing(self):
        """Go on."""
        self.sender.resume()

    def go_on(self):
        """Say that the body of a request is welcome, unless it will not be read."""
        fate = self.fate_of(self.reader.request)
        if not fate or fate.at != 0:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def fate_of(self, request):
        """Return the Interruption of a request that is coming, or False; it is asked for once."""
        if self.fate is None:
            self.fate = self.s3.interruption(request) or False
        return self.fate

    def get_buffer(self, sizehint):
        """Return where the next bytes go."""
        return self.inbox

    def buffer_updated(self, size):
        """Take what has come."""
        if self.reader.feed(self.inbox[:size]) or self.fate:
            self.proceed()

    def proceed(self):
        """Answer what has come whole, as far as that goes without waiting."""
        while self.task is None and not self.transport.is_closing():
            try:
                if self.interrupt(self.reader.begin_request()):
                    return
                request = self.reader.take_request()
            except ValueError:          # not HTTP
                self.transport.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
                self.transport.close()
                return
            if request is None:
                return
            self.fate = None
            self.s3.enter(request)
            response = None if self.s3.latency else self.s3.respond(request)
            if response is not None and response.plain and len(response.body) <= SMALL:
                self.answer(request, response)
            else:
                self.task = self.s3.loop.create_task(self.serve(request, response))

    def interrupt(self, request):
        """Return whether a fault stops a request that is coming, None if there is none, here."""
        fate = self.fate_of(request) if request else False
        if not fate or not fate.due(request, self.reader.received()):
            return False
        self.fate = False           # once
        self.task = self.s3.loop.create_task(self.break_off(request, fate))
        return True

    async def break_off(self, request, fate):
        """Do to a request that is coming what its Interruption says."""
        try:
            if fate.seconds:
                self.transport.pause_reading()
                await asyncio.sleep(fate.seconds)
                self.transport.resume_reading()
            if fate.response:
                self.s3.enter(request)
                if not fate.response.refuse:
                    self.answer(request, fate.response)
                    await self.linger()
                await self.sender.close_if_due(fate.response)
        finally:
            self.task = None
        self.proceed()

    async def linger(self):
        """Wait until a body that is not wanted is there, but not for ever: to close before would
        take the answer away from a client that still sends.
        """
        until = self.s3.loop.time() + LINGER
        while self.reader.received() < self.reader.length and self.s3.loop.time() < until:
            await asyncio.sleep(0.01)

    def answer(self, request, response):
        """Answer one request at once."""
        request.status = response.status
        body = b"" if request.method == "HEAD" else response.body
        request.bytes_sent = len(body)
        self.transport.write(b"".join((head_of(request, response, self.s3.time()), body)))
        self.finish(request)

    async def serve(self, request, response):
        """Answer one request in its own time, then go on with the connection.

        `response` is None where latency comes first.
        """
        try:
            if response is None:
                await asyncio.sleep(self.s3.latency)
                response = self.s3.respond(request)
            await asyncio.sleep(response.wait)
            if not response.refuse:
                request.status = response.status
                self.transport.write(head_of(request, response, self.s3.time()))
                if request.method != "HEAD":
                    await self.sender.send(request, response)
            await self.sender.close_if_due(response)
            self.finish(request)
        except Exception:
            self.s3.errors.append(traceback.format_exc())
            self.transport.abort()
        finally:
            self.task = None
        self.proceed()

    def finish(self, request):
        """Forget what the log need not keep, and close if the client asked for it."""
        if len(request.body) > 64 * 1024:
            request.body = b""
        if request.headers.get("connection", "").lower() == "close":
            self.transport.close()
