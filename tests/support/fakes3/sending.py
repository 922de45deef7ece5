"""HTTP, outwards: answers as they leave, with what faults do to them."""

import asyncio
import http
import socket
import struct

from fakes3.formats import http_date

SMALL = 256 * 1024  # bodies up to this leave in one write, without a task of their own
REASONS = {status.value: status.phrase for status in http.HTTPStatus}


def head_of(request, response, moment):
    """Return the bytes of an answer's status line and headers; `moment`: what its Date says.

    The server is Amazon's where the headers do not name another.
    """
    lines = [f"HTTP/1.1 {response.status} {REASONS.get(response.status, '')}\r\n"
             f"x-amz-request-id: {request.n:016X}\r\nx-amz-id-2: fakes3\r\n"
             f"Date: {http_date(int(moment))}\r\n"]
    if "Server" not in response.headers:
        lines.append("Server: AmazonS3\r\n")
    lines += [f"{name}: {value}\r\n" for name, value in response.headers.items()]
    if response.length is not None:
        length = len(response.body) if response.length is True else response.length
        lines.append(f"Content-Length: {length}\r\n")
    if response.end != "keep" or request.headers.get("connection", "").lower() == "close":
        lines.append("Connection: close\r\n")
    return "".join(lines).encode("latin-1", "replace") + response.raw + b"\r\n"


class Sender:
    """The slow way out of one connection: bodies at their pace, with interruptions, to their end.
    """

    def __init__(self, transport):
        self.transport = transport
        self.writable = None        # set while the client does not read fast enough

    def pause(self):
        """Let bodies wait for the client."""
        self.writable = asyncio.get_running_loop().create_future()

    def resume(self):
        """Let them go on."""
        waiter, self.writable = self.writable, None
        if waiter and not waiter.done():
            waiter.set_result(None)

    async def send(self, request, response):
        """Send the body at the pace and with the interruptions that the response asks for."""
        body, sent = memoryview(response.body), 0
        at = None if response.at is None else min(response.at, len(body))
        step = max(1, int(response.rate / 10)) if response.rate else SMALL
        while True:
            if sent == at:
                await self.flush()
                if response.action:
                    response.action()
                await asyncio.sleep(response.pause)
                at = None
            if sent == len(body):
                await self.send_later(request, response.later)
                return await self.send_for_ever(request, response.endless)
            end = min(sent + step, len(body) if at is None else at)
            if response.rate:
                await asyncio.sleep((end - sent) / response.rate)
            self.transport.write(body[sent:end])
            request.bytes_sent = sent = end
            if self.writable:
                await self.writable

    async def send_later(self, request, pieces):
        """Send each piece in its time."""
        for seconds, piece in pieces:
            await asyncio.sleep(seconds)
            piece = piece() if callable(piece) else piece
            self.transport.write(piece)
            request.bytes_sent += len(piece)

    async def send_for_ever(self, request, block):
        """Send `block` until the client is gone; nothing, if it is empty."""
        while block and not self.transport.is_closing():
            self.transport.write(block)
            request.bytes_sent += len(block)
            await (self.writable or asyncio.sleep(0))

    async def flush(self):
        """Wait until the kernel has all that was written."""
        while self.transport.get_write_buffer_size() and not self.transport.is_closing():
            await asyncio.sleep(0.001)

    async def close_if_due(self, response):
        """End the connection as the response says."""
        if response.end == "reset":
            await self.flush()
            await asyncio.sleep(0.02)           # let the client read what came before the reset
            linger = struct.pack("ii", 1, 0)    # close() then sends RST instead of FIN
            (self.transport.get_extra_info("socket")
             .setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger))
            self.transport.abort()
        elif response.end == "close":
            self.transport.close()
