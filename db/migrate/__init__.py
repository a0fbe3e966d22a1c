"""Taking a database from one numbered state to another, and back."""
