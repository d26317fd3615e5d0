"""Where did it begin: given many series before and during a problem, which one moved first in the chain of causes.
Pure, and the same for a machine's own metrics and for a fleet of services that call one another."""
