"""M: looks at the machine and its services on time, and keeps what was seen in one read-only ring buffer."""
