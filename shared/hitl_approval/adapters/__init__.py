"""AWS behind the ports. Each module maps `ClientError` to domain errors in one place."""
