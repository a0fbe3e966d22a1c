"""What is measured of the pictures that steps make, and what that says against them."""
