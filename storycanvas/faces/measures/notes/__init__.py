"""What a person should know of light, colour, sharpness and kind of the faces in pictures."""
