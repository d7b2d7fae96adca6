"""The rules of an approval. Pure: no clock, no environment, no random draw, no I/O."""
