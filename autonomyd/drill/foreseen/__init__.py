"""The faults that announce themselves, one file each, with what must be said of them before they break anything."""
