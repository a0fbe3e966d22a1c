"""Which pictures of the image store are needed no more, and moving them to its trash and back."""
