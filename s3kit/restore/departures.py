"""How rows leave s3-restore: in which state, and how many."""

from s3kit.errors import DONE, SOME_FAILED
from s3kit.manifest import row as rows
from s3kit.text import count
from s3kit.units import show_size


class Departures:
    """Lets rows go, and counts them. In a dry run only those leave that S3 would be asked for."""

    def __init__(self, stage):
        self.stage, self.tally, self.progress = stage, stage.tally, stage.progress
        self.is_dry = stage.args.dry_run
        self.restored = self.restored_bytes = self.left = self.planned = self.planned_bytes = 0
        self.here = 0           # rows whose bytes came before

    def plan(self, version):
        """Let the row go that S3 would be asked for, as it came."""
        self.planned += 1
        self.planned_bytes += version.size
        self.progress.move(1)
        self.stage.leave(version.row)

    def let_be(self, row):
        """Let a row go whose bytes came before."""
        self.here += 1
        if not self.is_dry:
            self.stage.leave(row)

    def ask(self, version):
        """Let a row go that S3 was asked for, and nobody waits for."""
        row = version.row
        row.state, row.restore, row.error = rows.RESTORING, "ongoing", ""
        self.stage.leave(row)

    def restore(self, version, restore):
        """Let a row go that can be read; `restore` says until when, if ever that ends.

        It keeps its place until the next stage takes it: a copy that nobody comes for would expire.
        """
        row = version.row
        if not self.is_dry:
            self.restored += 1
            self.restored_bytes += version.size
            row.state, row.restore, row.error = rows.RESTORED, restore, ""
        self.pass_on(version, (version.name, version.size) if version.is_held else None)

    def put_off(self, version):
        """Let a row go for which there is no room: as if it had never been asked for."""
        row = version.row
        self.left += 1
        row.restore = ""
        if row.state in (rows.RESTORING, rows.RESTORED):
            row.state = rows.LISTED
        self.pass_on(version)

    def fail(self, version, error, state=rows.FAILED):
        """Let a row go that cannot be restored."""
        row = version.row
        row.state, row.error = state, error
        self.progress.move(1)
        if self.is_dry:
            self.tally.count(row, told=True)
        else:
            self.stage.leave(row, aloud=True)

    def pass_on(self, version, ticket=None):
        """Let a row go as it is; `ticket` comes back from the outbox when it is written."""
        self.progress.move(1)
        if not self.is_dry:
            self.stage.leave(version.row, ticket=ticket)

    # --- afterwards

    def summary(self):
        """Return the parts of the summary."""
        if self.here and not (self.planned or self.tally.of(rows.RESTORED, rows.RESTORING)):
            self.tally.say(f"{count(self.here, 'row')} whose bytes came before: give --again to "
                           "restore them for another destination")
        if self.is_dry:
            size = f" ({show_size(self.planned_bytes)})" if self.planned_bytes else ""
            return [f"{count(self.planned, 'row')} to ask for{size}"]
        wrong, asked = self.tally.of(*rows.WRONG), self.tally.of(rows.RESTORING)
        size = f" ({show_size(self.restored_bytes)})" if self.restored_bytes else ""
        return [f"{count(self.restored, 'row')} restored{size}",
                asked and f"{count(asked, 'row')} asked for",
                self.left and f"{count(self.left, 'row')} not asked for",
                wrong and f"{count(wrong, 'row')} failed"]

    def status(self):
        """Return the exit status: 1 where any row failed, or was not asked for."""
        return SOME_FAILED if self.tally.of(*rows.WRONG) or self.left else DONE
