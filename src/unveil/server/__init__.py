"""The service: HTTP and the page over `unveil.Restorer`. Needs the extra `server`."""
