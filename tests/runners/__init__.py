"""What runs the recipes of docs/ci.md: programs that run pipelines on one machine, or stand-ins for them."""
