"""Programs of others judge what the product writes: `make judges`, outside CI."""
