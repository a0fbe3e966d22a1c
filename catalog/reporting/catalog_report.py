"""What the report on the model catalog tells."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, JsonValue


class ReportList(BaseModel):
    """One list of the report.

    Attributes:
        count: How many rows the whole list has.
        rows: The first ones, at most 50; moments are ISO 8601 text.
        stored_at: Where the whole list lies as CSV; None if it was not stored.
    """

    model_config = ConfigDict(frozen=True)

    count: int = 0
    rows: tuple[dict[str, JsonValue], ...] = ()
    stored_at: str | None = None


class CatalogReport(BaseModel):
    """What is to be said about the models of all servers.

    Attributes:
        since: From when on models count as new, gone or changed, UTC.
        servers: How many servers have models.
        files: How many model files they have, all together.
        models: How many different models these are, by folder and path.
        bytes_freeable: What copies of the same file take, but for one of each; those whose size no
            server tells are left out.
        unsized: Entries of `duplicates` whose size no server tells.
        new: Models that were first seen since then.
        gone: Models that are no longer listed.
        changed: What models differ in from an earlier report: a row for each value, with the one
            before. Without such a report, the models of which a server tells something else.
        changed_models: How many models that are.
        compared_with: When that report was made, UTC; None without one.
        unmatched: Models without a link to Civitai.
        duplicates: Files that lie in several places.
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
        """Say it in two sentences."""
        servers = "1 server" if self.servers == 1 else f"{self.servers} servers"
        return (
            f"{self.models} models in {self.files} files on {servers}; since "
            f"{self.since:%Y-%m-%d %H:%M} UTC {self.new.count} are new, {self.gone.count} gone and "
            f"{self.changed_models} changed. {self.unmatched.count} have no link to Civitai, "
            f"{self.duplicates.count} lie in several places, which takes "
            f"{self._freeable()} more than once would."
        )

    def _freeable(self) -> str:
        gigabytes = f"{self.bytes_freeable / 1e9:.1f} GB"
        if not self.unsized:
            return gigabytes
        return f"{gigabytes}, and what {self.unsized} of unknown size take,"
