"""What runs inside a durable function; the only folder that imports the durable SDK."""
