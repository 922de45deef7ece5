"""The journeys of several buckets in one run: how far each goes alone, and what people are asked.
"""

from s3kit.errors import DONE, SOME_FAILED, UNFINISHED, Fault, Usage
from s3kit.migrate.phases import DELETE, VERIFY
from s3kit.text import command, count


class Journeys:
    """A run with several Migrations; `args` are the command's.

    `say(text)` tells people, `check()` raises if a signal came, `person(bucket)` returns what asks
    a person about a bucket, and raises Usage where there is nobody.
    """

    def __init__(self, args, migrations, say, check, person):
        self.args, self.migrations = args, migrations
        self.say, self.check, self.person = say, check, person

    def run(self, is_retry=False):
        """Bring every bucket as far as it goes alone, then ask and delete; return the status.

        With `is_retry` what is wrong is fetched again first.
        """
        statuses = {}
        for migration in self.migrations if self.args.rescan else ():
            migration.folder.set_aside()
        # The archives of several buckets are asked first, to be waited for together; a person finds
        # all questions at the end.
        steps = [self.ask_archive] if len(self.migrations) > 1 and not is_retry else []
        for step in [*steps, self.retry if is_retry else self.prepare, self.settle]:
            for migration in self.migrations:
                if statuses.get(migration) != UNFINISHED:
                    statuses[migration] = self.attempt(step, migration)
        done = sum(status == DONE for status in statuses.values())
        if not self.args.quiet:
            self.say(f"{done:,} of {count(len(self.migrations), 'bucket')} complete")
        return max(statuses.values(), default=DONE)

    def attempt(self, step, migration):
        """Do a step of one bucket; return its status. What is wrong with it ends its journey alone.
        """
        try:
            return step(migration)
        except Fault as fault:
            self.check()
            self.say(fault)
            migration.folder.leave_nothing()
            return UNFINISHED

    def ask_archive(self, migration):
        """Do what takes S3 hours by itself."""
        migration.ask_archive()
        return SOME_FAILED

    def prepare(self, migration):
        """Do the phases that need nobody's yes."""
        migration.advance()
        return SOME_FAILED

    def retry(self, migration):
        """Fetch again what is wrong, and do the phases that need nobody's yes."""
        migration.retry()
        return self.prepare(migration)

    def settle(self, migration):
        """Say what was proven, ask, delete, and say what is left; return the bucket's status."""
        folder = migration.folder
        if folder.latest() == VERIFY:
            census = folder.census(VERIFY)
            if census.wrong or self.args.no_delete or not self.is_wanted(migration, census):
                return self.conclude(migration, census)
            migration.delete()
        census = folder.census(DELETE)
        status = self.conclude(migration, census)
        if status == DONE:
            came = migration.arrivals(census.newest)
            if came:
                migration.say(
                    f"{count(came, 'version')} came since the scan: run again with --rescan")
        return status

    def is_wanted(self, migration, census):
        """Return whether a bucket's versions are to be deleted; a person is asked, unless --yes
        named the bucket.
        """
        left = census.rows - census.pruned
        if not left:
            return True
        migration.say(migration.summary(census))
        if migration.bucket in self.args.yes:
            return True
        try:
            ask = self.person(migration.bucket)
        except Usage as nobody:
            migration.say(f"kept in S3: {nobody}")
            return False
        if ask(f"Type the bucket's name to delete {count(left, 'version')} of "
               f"s3://{migration.bucket} for good:", migration.bucket):
            return True
        migration.say("kept in S3")
        return False

    def conclude(self, migration, census):
        """Say what became of a bucket; return its status."""
        if census.is_complete(not self.args.no_delete):
            if not self.args.quiet:
                migration.say(f"complete: {census.told() or 'nothing in it'}")
            return DONE
        if census.wrong:
            where = "deleted" if census.phase == DELETE else "proven; nothing of it is deleted"
            migration.say(f"{census.wrong:,} of {count(census.rows, 'row')} not {where}"
                          f" ({census.told()}); {self.to_paste('errors', migration)} shows them, "
                          f"{self.to_paste('retry-errors', migration)} tries again")
            for text in census.named:
                migration.say(text)
        return SOME_FAILED

    def to_paste(self, verb, migration):
        """Return the command that does something else with a bucket, in the same places."""
        args = self.args
        kept = ["--no-delete"] if args.no_delete and verb == "retry-errors" else []
        work = ["-w", args.work] if args.work else []
        return command("s3-migrate", verb, *kept, *work, migration.bucket, dest=args.dest)

    def reset(self):
        """Ask, and forget what is known of buckets; return the status."""
        status = DONE
        for migration in self.migrations:
            question = (
                f"Forget how far s3://{migration.bucket} is migrated? (What was fetched, and S3, "
                "stay as they are.)")
            if migration.bucket not in self.args.yes and not self.person(migration.bucket)(
                    question):
                status = SOME_FAILED
            elif not migration.folder.remove():
                migration.say(f"'{migration.folder.path}' is left: there is more in it than ours")
        return status
