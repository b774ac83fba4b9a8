"""What is known of places in code, and the examples of it."""
