"""Pictures: reading them safely, naming them by content, keeping them, showing them."""
