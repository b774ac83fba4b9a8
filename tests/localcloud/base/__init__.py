"""What every service builds on: one request, one answer, and signed JSON web tokens."""
