"""How like faces are to a person: which to choose, which references are good, which drifted."""
