"""Finding characters by what people know of them: a name, a part of it, a project."""
