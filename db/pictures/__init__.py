"""What the database knows of the pictures in the image store."""
