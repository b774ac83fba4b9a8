"""Values that names have, in commands, inputs and images."""
