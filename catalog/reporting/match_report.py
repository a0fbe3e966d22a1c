"""What a matching of local models to Civitai found."""

from pydantic import BaseModel, ConfigDict


class MatchReport(BaseModel):
    """How local models are linked.

    Attributes:
        models: How many local models there are.
        by_method: How many are linked, by method: `sha256`, `file_name` and so on.
        unmatched: How many have no link.
        suggested: How many of these have candidates that a person may choose from.
        kept: Links that a person made or confirmed.
        written: Models whose records changed.
        looked_up: Models that Civitai knew by hash though the imported catalog did not.
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
        """Say it in two sentences."""
        ways = ", ".join(f"{count} by {way}" for way, count in sorted(self.by_method.items()))
        return (
            f"{self.models} models: {ways or 'none linked'}, {self.unmatched} without a link "
            f"({self.suggested} with suggestions), {self.kept} links of a person kept. "
            f"{self.written} records changed."
        )
