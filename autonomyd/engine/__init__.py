"""The loops and their assembly: calls the stages and writes to the store. Decides nothing of its own."""
