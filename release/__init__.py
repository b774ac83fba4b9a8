"""Makes a release of the extension in dist/: `make release`."""
