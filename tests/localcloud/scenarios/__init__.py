"""Ready-made fleets, a container client and a container image for tests, documents and demonstrations."""
