"""How a request reaches a service: the proxy, the servers, certificates, faults on demand and the journal."""
