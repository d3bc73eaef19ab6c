"""Great Expectations suites, one file per flow that is gated."""
