"""What the verbs print for eyes: pure functions from the wire's values to rich renderables; --json never needs them."""
