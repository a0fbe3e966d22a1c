"""The numbered migrations, `m0001_...` and so on; `db.migrations.engine` applies them.

Each module has `up(work)`, which may be killed and called again, and `check(database)`, which
proves its result. It has `down(work)` when it can be undone. An applied one is never edited.
"""
