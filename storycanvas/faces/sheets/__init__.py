"""What a person looks at: the layout of contact sheets, and what is drawn on them."""
