"""Changes one number in a file and nothing else: one file a format finds the numbers, `change` splices and proves."""
