"""Messages between the pool and a worker: pickles, each after its length, over one socket, and
nobody ever waits to send.

Both ends send while they receive: were either to wait until the other takes a message, both could
wait for ever. multiprocessing.connection does wait, and its import costs a worker a quarter of its
start.
"""

import pickle
import select
import socket
import struct
from collections import deque

LENGTH = struct.Struct("!Q")
READ = 1 << 18


class Gone(Exception):
    """Nobody is at the other end any more."""


class Channel:
    """One end of a socket; only trusted processes of ours may be at the other."""

    def __init__(self, fd):
        self.socket = socket.socket(fileno=fd)
        self.socket.setblocking(False)
        self.poll = select.poll()
        self.poll.register(fd, select.POLLIN)
        self.outgoing, self.incoming = deque(), bytearray()

    def fileno(self):
        """Return the descriptor, for those who wait."""
        return self.socket.fileno()

    @property
    def is_full(self):
        """Whether something waits until the other end takes more."""
        return bool(self.outgoing)

    def wait(self, seconds):
        """Wait so long (None: for ever) until there is something to receive, or to send and room
        for it.
        """
        mask = select.POLLIN | (select.POLLOUT if self.outgoing else 0)
        self.poll.modify(self.socket.fileno(), mask)
        self.poll.poll(None if seconds is None else seconds * 1000)

    def send(self, message):
        """Send an object, or keep what the socket does not take for `flush`. Raises Gone."""
        data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        self.outgoing.append(memoryview(LENGTH.pack(len(data)) + data))
        self.flush()

    def flush(self):
        """Send what the socket takes now. Raises Gone."""
        try:
            while self.outgoing:
                first = self.outgoing[0]
                sent = self.socket.send(first)
                if sent < len(first):
                    self.outgoing[0] = first[sent:]
                else:
                    self.outgoing.popleft()
        except BlockingIOError:
            pass
        except OSError:
            raise Gone from None

    def receive(self):
        """Return the objects that have come whole, perhaps none. Raises Gone."""
        try:
            data = self.socket.recv(READ)
        except BlockingIOError:
            return []
        except OSError:
            raise Gone from None
        if not data:
            raise Gone
        self.incoming += data
        messages, at = [], 0
        while len(self.incoming) - at >= LENGTH.size:
            start = at + LENGTH.size
            end = start + LENGTH.unpack_from(self.incoming, at)[0]
            if len(self.incoming) < end:
                break
            messages.append(pickle.loads(self.incoming[start:end]))
            at = end
        del self.incoming[:at]
        return messages

    def close(self):
        """Close our end."""
        self.socket.close()
