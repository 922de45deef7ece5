"""What comes from a pseudo-terminal."""

import os


def pieces(terminal):
    """Yield what comes from the descriptor of a terminal, until nobody has its other end open any
    more, which Linux says as EIO.
    """
    try:
        while data := os.read(terminal, 1 << 16):
            yield data
    except OSError:
        pass
