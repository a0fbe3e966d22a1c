"""The couple face swap: whose face goes where in a picture of two."""
