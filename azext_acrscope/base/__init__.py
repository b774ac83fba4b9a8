"""What needs no Azure: hosts, tokens, connections, files, processes, the console, shared errors."""
