"""The text of a report."""

from db.migrations.characters import CharacterMigrationReport, CharacterStatistics
from db.migrations.engine.check import Check, MigrationReport, MoveReport, Unresolved

UP = MoveReport(
    number=1, name="fields", direction="up", counts={"scenes.a": 3, "scenes.b": 0}, seconds=1.26
)
DOWN = MoveReport(number=2, name="marks", direction="down")


def report(*moves: MoveReport, dry_run: bool = False) -> MigrationReport:
    return MigrationReport(database="story", dry_run=dry_run, target="1", moves=moves)


def test_a_line_names_what_was_done_and_how_often() -> None:
    assert [*report(DOWN, UP).lines()] == [
        "Migration 2 (marks) undone in 0.0 s: nothing to change.",
        "Migration 1 (fields) applied in 1.3 s: scenes.a 3.",
    ]


def test_a_line_of_a_dry_run_names_what_would_be_done() -> None:
    assert [*report(DOWN, UP, dry_run=True).lines()] == [
        "Migration 2 (marks) would be undone: nothing to change.",
        "Migration 1 (fields) would be applied: scenes.a 3.",
    ]


def test_a_summary_names_every_migration_and_its_direction() -> None:
    assert report(DOWN, UP).summary() == (
        "Database story: migrations were carried out to 1: 2 down, 1 up."
    )
    assert "migrations would be carried out to 1" in report(UP, dry_run=True).summary()


def test_a_summary_without_moves_names_the_state() -> None:
    assert report().summary() == "Database story: nothing to migrate, it is at 1."


def test_an_unresolved_case_is_counted_with_its_first_examples() -> None:
    assert str(Unresolved(what="Texts", count=2, examples=("a", "b"))) == "Texts (2: a, b)"
    assert str(Unresolved(what="Texts", count=3, examples=("a", "b"))) == "Texts (3: a, b, ...)"


def test_checks_of_several_collections_add_up() -> None:
    left = Unresolved(what="Texts", count=1)
    check = Check(remaining={"scenes.a": 0}, changed={"scenes.a": 2})
    other = Check(remaining={"clips.a": 1}, changed={"clips.a": 0}, unresolved=(left,))

    total = check + other

    assert total.remaining == {"scenes.a": 0, "clips.a": 1}
    assert total.changed == {"scenes.a": 2, "clips.a": 0}
    assert total.unresolved == (left,)
    assert (check.is_done, check.is_undone) == (True, False)
    assert (other.is_done, other.is_undone) == (False, True)
    assert (total.is_done, total.is_undone) == (False, False)


def test_characters_are_counted_before_and_after() -> None:
    whole = CharacterMigrationReport(
        before=CharacterStatistics(total=4, with_field={"history": 3}, complete=1),
        migration=report(UP),
        after=CharacterStatistics(total=4, with_field={"history": 4}, complete=4),
    )

    assert [*whole.lines()] == [
        "characters: 4 before, 4 after",
        "with history: 3 before, 4 after",
        "complete: 1 before, 4 after",
        "Migration 1 (fields) applied in 1.3 s: scenes.a 3.",
    ]
    assert whole.summary() == "Database story: 4 of 4 characters have all FaceFusion fields."
