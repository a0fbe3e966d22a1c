"""What runs do with the pictures of the image store beside the steps of face flows."""
