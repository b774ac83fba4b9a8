"""Readers of one kind of file each: what is there of registries."""
