"""The ledger of face operations and their pending effects on characters: an outbox.

This is the transactional outbox pattern on a server without transactions: one insert stores the
finished operation together with its effects, and each effect is then applied by an update that is
safe to repeat and marked as applied. An interrupted run loses nothing: the effects without a mark
are applied by the retry, by the next run of the flow or by `audit-db`.
"""
