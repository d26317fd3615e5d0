"""The detectors, one file each: streams of samples to a verdict that has memory."""
