"""The control channel: HTTP/JSON on a Unix socket, one file a resource, and the client that talks to it."""
