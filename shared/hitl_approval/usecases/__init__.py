"""The use cases, one module for each actor; they know the domain and the ports, not AWS."""
