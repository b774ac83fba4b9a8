"""What Azure Policy knows and decides: definitions, assignments, the rule engine, policy states and remediations."""
