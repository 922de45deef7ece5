"""What running commands tell of themselves, and who reads it."""
