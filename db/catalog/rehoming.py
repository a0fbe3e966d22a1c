"""A server that was known by its address alone and has a row of its own now."""

from pymongo.database import Database

from db.catalog.server_rows import Server, server_of_url
from db.connection import Document, translated_errors


def rehome(database: Database[Document], server: Server) -> None:
    """Give a server what was stored of it under the id made of its address.

    Its models keep their ids until its next listing, which takes them over with their links as it
    does with those of the app. Killed in between and run again, it ends the same.

    Args:
        database: The StoryCanvas database.
        server: Which one.

    Raises:
        db.errors.DatabaseError: The server cannot be reached or refuses it.
    """
    former = server_of_url(server.url).id
    if former == server.id:
        return
    with translated_errors():
        if database["backends"].find_one({"id": former}, {"_id": True}) is None:
            return
        own = {"backend_id": server.id, "backend_name": server.name}
        database["active_backend_models"].update_many({"backend_id": former}, {"$set": own})
        database["backends"].delete_one({"id": former})
