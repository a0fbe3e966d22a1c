"""The periods of the guard, in one place: tests shorten them, production takes the defaults."""

from dataclasses import dataclass


@dataclass(frozen=True)
class GuardSettings:
    """How long the guard waits for what, in seconds.

    Attributes:
        lease: How long a lease lasts without renewal, so how long a killed holder blocks its slot.
            Prefect's server answers 422 to less than 60.
        renew: Age at which a lease is renewed.
        renew_again: Pause after a renewal that failed.
        quantum: How long a process keeps a slot that processes of the same priority wait for.
        precedence: How long a free slot is left to a better claim; its owner may be gone.
        linger: How long a slot is kept without work, so that the next step of a chain finds it.
        poll: Pause between two attempts to get the slot.
        held_poll: The same where living peers hold every slot: they hand one over, and their death
            is noticed.
        switched_off: Pause between two looks at a limit that is switched off while its slot is
            held.
        check: Shortest pause between two looks at the limit while operations follow each other.
        note: How often a process renews its presence note.
        note_stale: Age at which a note counts as left by a dead process. The server's clock has a
            resolution of 1 s, so less than `note` + 2 takes living processes for dead.
        note_forgotten: Age at which a note is deleted.
        log: How long an operation waits before it logs what for, and how often it looks whether
            that is something else by now.
        log_again: How often it logs the same again.
        exit: Longest wait for a lane to give its slot back when the process ends.
    """

    lease: float = 60.0
    renew: float = 20.0
    renew_again: float = 2.0
    quantum: float = 5.0
    precedence: float = 1.0
    linger: float = 0.3
    poll: float = 0.1
    held_poll: float = 1.0
    switched_off: float = 0.5
    check: float = 1.0
    note: float = 2.0
    note_stale: float = 8.0
    note_forgotten: float = 300.0
    log: float = 15.0
    log_again: float = 300.0
    exit: float = 5.0


DEFAULTS = GuardSettings()
