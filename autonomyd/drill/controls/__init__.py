"""One file a control: nothing is wrong, and nothing may be done."""
