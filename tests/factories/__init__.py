"""Objects, files and clients that several test modules need."""
