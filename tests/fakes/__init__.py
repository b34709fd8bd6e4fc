"""Stand-ins at the network edge: real sockets on loopback, scripted."""
