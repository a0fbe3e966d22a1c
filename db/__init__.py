"""The StoryCanvas database: its documents and every query made of it, without Prefect.

Here `database` is an open StoryCanvas database, `now` and `limit` are aware times in UTC, and every
function that reaches the server raises `db.errors.DatabaseError`; the steps of a larger operation,
which runs inside `db.connection.translated_errors`, raise PyMongo's errors.
"""
