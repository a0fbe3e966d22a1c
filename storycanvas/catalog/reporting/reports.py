"""The reports of the catalog's flows."""

from collections.abc import Iterator
from datetime import datetime

from pydantic import BaseModel, ConfigDict, JsonValue

from storycanvas.net.wording import counted, verb


class ImportReport(BaseModel):
    """The outcome of an import from Civitai.

    Attributes:
        source: What was read: the filters, or the file's name.
        pages: Pages, or batches of a file, that were read in this run.
        new: Models that were not known.
        changed: Models whose data at Civitai has changed.
        unchanged: Models that cost no write.
        mended: Models of which a part had a wrong shape; the rest was kept.
        problems: Items that could not be read or stored, each a sentence; at most 200.
        problem_count: How many there are.
        complete: Whether the end was reached; if not, the next run continues there.
        ended_because: Why it ended, as a sentence.
    """

    model_config = ConfigDict(frozen=True)

    source: str
    pages: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    mended: int = 0
    problems: tuple[str, ...] = ()
    problem_count: int = 0
    complete: bool = False
    ended_because: str = ""

    def summary(self) -> str:
        """Sum up the report in two sentences."""
        return (
            f"{self.source}: {counted(self.pages, 'page')}, {counted(self.new, 'model')} new, "
            f"{self.changed} changed, {self.unchanged} unchanged, {self.problem_count} "
            f"not read. {self.ended_because}"
        ).strip()


class MatchReport(BaseModel):
    """The links of local models.

    Attributes:
        models: How many local models there are.
        by_method: How many are linked, by method: `sha256`, `file_name` and so on.
        unmatched: How many have no link.
        suggested: How many of these have candidates that a person may choose from.
        kept: Links that a person made or confirmed.
        written: Models whose records changed.
        looked_up: Models that Civitai found by hash though the imported catalog did not have them.
        examples: The first unmatched models with the reason, at most 50 sentences.
        notes: What could not be done, such as asking Civitai.
    """

    model_config = ConfigDict(frozen=True)

    models: int = 0
    by_method: dict[str, int] = {}
    unmatched: int = 0
    suggested: int = 0
    kept: int = 0
    written: int = 0
    looked_up: int = 0
    examples: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def summary(self) -> str:
        """Sum up the report in two sentences."""
        ways = ", ".join(f"{count} by {way}" for way, count in sorted(self.by_method.items()))
        return (
            f"{counted(self.models, 'model')}: {ways or 'none linked'}, "
            f"{self.unmatched} without a link ({self.suggested} with suggestions), "
            f"{counted(self.kept, 'link')} of a person kept. "
            f"{counted(self.written, 'record')} changed."
        )


MAX_PROBLEMS = 200
"""Problems that a report lists; the rest is counted."""


class ServerSync(BaseModel):
    """The outcome of one server's sync.

    Attributes:
        id: The server's id.
        name: Its name.
        url: Its address.
        status: `online`, `offline` or `error`.
        seconds: How long its status took; None while offline.
        models: How many models it lists; None where unknown.
        complete: Whether its listing was whole; only then models can be gone.
        new: Models that were never listed there before.
        back: Models that were gone and are there again.
        changed: Models with other facts than before, or that got an id of this scheme.
        gone: Models that are no longer listed.
        unchanged: All others.
        error: Why it is not online, or why its models are unknown.
        problems: What could not be read, at most 200 sentences.
        problem_count: How many there are.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    url: str
    status: str
    seconds: float | None = None
    models: int | None = None
    complete: bool = False
    new: int = 0
    back: int = 0
    changed: int = 0
    gone: int = 0
    unchanged: int = 0
    error: str | None = None
    problems: tuple[str, ...] = ()
    problem_count: int = 0


class SyncReport(BaseModel):
    """The outcome of all servers' syncs.

    Attributes:
        servers: In the order in which they were read.
    """

    model_config = ConfigDict(frozen=True)

    servers: tuple[ServerSync, ...]

    def summary(self) -> str:
        """Sum up the report in two sentences."""
        online = sum(server.status == "online" for server in self.servers)
        counts = [f"{self._total(word)} {word}" for word in ("new", "back", "changed", "gone")]
        unread = self._total("problem_count")
        rest = f" {counted(unread, 'entry', 'entries')} could not be read." if unread else ""
        servers = counted(len(self.servers), "server")
        return f"{online} of {servers} online. Models: {', '.join(counts)}.{rest}"

    def lines(self) -> Iterator[str]:
        """Make a line for each server."""
        for server in self.servers:
            listed = "models unknown" if server.models is None else counted(server.models, "model")
            part = "" if server.complete or server.models is None else " (listing incomplete)"
            error = f" {server.error}" if server.error else ""
            yield f"{server.name}: {server.status}, {listed}{part}.{error}"

    def _total(self, count: str) -> int:
        return sum(getattr(server, count) for server in self.servers)


class ReportList(BaseModel):
    """One list of the report.

    Attributes:
        count: How many rows the whole list has.
        rows: The first ones, at most 50; moments are ISO 8601 text.
        stored_at: Where the whole list is stored as CSV; None if it was not stored.
    """

    model_config = ConfigDict(frozen=True)

    count: int = 0
    rows: tuple[dict[str, JsonValue], ...] = ()
    stored_at: str | None = None


class CatalogReport(BaseModel):
    """The report on the models of all servers.

    Attributes:
        since: From when on models count as new, gone or changed, UTC.
        servers: How many servers have models.
        files: How many model files they have, all together.
        models: How many different models these are, by folder and path.
        bytes_freeable: Size of all copies of the same files, except one of each; copies of unknown
            size are left out.
        unsized: Entries of `duplicates` of unknown size.
        new: Models whose `first_seen` is in this time.
        gone: Models that are no longer listed.
        changed: What models differ in from an earlier report: a row for each value, with the one
            before. Without such a report, the models that a server reports differently.
        changed_models: How many models that are.
        compared_with: When that report was made, UTC; None without one.
        unmatched: Models without a link to Civitai.
        duplicates: Files that are in several places.
        by_type: How many models there are, by type and base model.
    """

    model_config = ConfigDict(frozen=True)

    since: datetime
    servers: int = 0
    files: int = 0
    models: int = 0
    bytes_freeable: int = 0
    unsized: int = 0
    changed_models: int = 0
    compared_with: datetime | None = None
    new: ReportList = ReportList()
    gone: ReportList = ReportList()
    changed: ReportList = ReportList()
    unmatched: ReportList = ReportList()
    duplicates: ReportList = ReportList()
    by_type: ReportList = ReportList()

    def summary(self) -> str:
        """Sum up the report in two sentences."""
        servers, files = counted(self.servers, "server"), counted(self.files, "file")
        new, linkless = self.new.count, self.unmatched.count
        several = self.duplicates.count
        return (
            f"{counted(self.models, 'model')} in {files} on {servers}; since "
            f"{self.since:%Y-%m-%d %H:%M} UTC {new} {verb(new, 'is', 'are')} new, "
            f"{self.gone.count} gone and {self.changed_models} changed. "
            f"{linkless} {verb(linkless, 'has', 'have')} no link to Civitai, "
            f"{several} {verb(several, 'lies', 'lie')} in several places, which takes "
            f"{self._freeable()} more than once would."
        )

    def _freeable(self) -> str:
        gigabytes = f"{self.bytes_freeable / 1e9:.1f} GB"
        if not self.unsized:
            return gigabytes
        return f"{gigabytes}, and what {self.unsized} of unknown size take,"
