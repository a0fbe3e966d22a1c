"""Where a picture field may lead: an uploaded asset, an allowed folder, an allowed server."""
