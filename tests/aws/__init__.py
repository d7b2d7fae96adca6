"""What only AWS can settle: one throw-away stack, tried and deleted. No test of `make test-all`."""
