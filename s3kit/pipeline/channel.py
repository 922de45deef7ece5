"""Messages between the pool and a worker: pickles, each after its length, over one socket.

As multiprocessing.connection has it, whose import costs a worker a quarter of its start.
"""

import pickle
import select
import socket
import struct

LENGTH = struct.Struct("!Q")
READ = 1 << 18


class Channel:
    """One end of a socket; only trusted processes of ours may be at the other."""

    def __init__(self, fd):
        self.socket = socket.socket(fileno=fd)
        self.socket.setblocking(True)
        self.waiter = select.poll()
        self.waiter.register(fd, select.POLLIN)

    def fileno(self):
        """Return the descriptor, for those who wait."""
        return self.socket.fileno()

    def poll(self, seconds=0):
        """Return whether there is something to receive, waiting so long (None: for ever)."""
        return bool(self.waiter.poll(None if seconds is None else seconds * 1000))

    def send(self, message):
        """Send an object. Raises OSError where nobody is there any more."""
        data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        self.socket.sendall(LENGTH.pack(len(data)) + data)

    def recv(self):
        """Return the next object. Raises EOFError at the end, OSError."""
        return pickle.loads(self.read(*LENGTH.unpack(self.read(LENGTH.size))))

    def read(self, count):
        """Return exactly so many bytes."""
        data = bytearray()
        while len(data) < count:
            piece = self.socket.recv(min(READ, count - len(data)))
            if not piece:
                raise EOFError
            data += piece
        return data

    def close(self):
        """Close our end."""
        self.socket.close()
