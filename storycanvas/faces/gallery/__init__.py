"""The gallery of a character as a person looks at it: one page of all results."""
