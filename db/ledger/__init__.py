"""The ledger of face operations and the effects that they have pending: an outbox."""
