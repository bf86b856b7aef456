"""Work that outlives a request: the outbox and its queue, the jobs, and the process that runs them."""
