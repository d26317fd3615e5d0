"""P: decides. A situation in, a Plan or a typed Refusal out, each with every gate that was asked. Pure."""
