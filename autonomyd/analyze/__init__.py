"""A: pure judges of what was seen. Samples in; findings, issues and diagnoses out. No clock, no machine, no store."""
