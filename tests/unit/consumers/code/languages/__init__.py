"""Languages: what can be read of any text whatever."""
