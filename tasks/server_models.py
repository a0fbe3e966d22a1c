"""Bringing the records of one server's models to what it lists."""

from datetime import datetime

from pymongo.database import Database

from catalog.entries import Listing
from catalog.listing_digest import listing_digest
from catalog.reporting.listed import listed_frame
from db.catalog.backend_models import ModelChanges, sync_models
from db.catalog.backend_ref import BackendRef
from db.catalog.compared_listings import note_comparison, was_just_compared
from db.connection import Document


def update_models(
    database: Database[Document], backend: BackendRef, listing: Listing, now: datetime
) -> ModelChanges:
    """Compare a listing with what is stored, and write what differs.

    Args:
        database: The StoryCanvas database.
        backend: The server, whose own record is there already.
        listing: What it lists.
        now: When it was asked, UTC.

    Raises:
        db.errors.DatabaseError: MongoDB cannot be reached, or refuses the user.
    """
    digest = listing_digest(backend.name, backend.url, listing.entries)
    is_whole = listing.complete and listing.folders is None
    if is_whole and was_just_compared(database, backend.id, digest, now):
        return ModelChanges(unchanged=len(listing.entries))
    listed = listed_frame(listing.entries)
    changes = sync_models(database, backend, listed, listing.complete, now, listing.folders)
    is_stored = is_whole and not changes.refused
    note_comparison(database, backend.id, digest if is_stored else None, now)
    return changes
