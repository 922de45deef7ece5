"""How much may be on its way out of the archive at once; no I/O."""


class Cap:
    """Places for object versions below a number of them, and of their bytes (0: any number).

    A version takes its place by name, and keeps it until the next stage has its row: a copy that
    nobody comes for would expire. Rows that name the same version have a place each.
    """

    def __init__(self, most, most_bytes=0):
        self.most, self.most_bytes = most, most_bytes
        self.held = self.held_bytes = 0
        self.names = {}             # what holds a place: how many rows

    def __contains__(self, name):
        """Return whether a version has a place."""
        return name in self.names

    def has_room(self):
        """Return whether there is a place free."""
        return self.held < self.most and (not self.most_bytes or self.held_bytes < self.most_bytes)

    def fits(self, size):
        """Return whether there is a place for so many bytes; what is larger than all room goes
        alone.
        """
        return not self.held or (self.has_room() and (not self.most_bytes
                                                      or self.held_bytes + size <= self.most_bytes))

    def hold(self, name, size):
        """Give a version a place; what others asked for takes one, too, whether there is room or
        not.
        """
        self.held += 1
        self.held_bytes += size
        self.names[name] = self.names.get(name, 0) + 1

    def free(self, name, size):
        """Take a place back."""
        self.held -= 1
        self.held_bytes -= size
        self.names[name] -= 1
        if not self.names[name]:
            del self.names[name]
