"""What a mail about an approval is: made once from a template, as the bytes that are sent."""
