"""When a thing that fills will be full: a bounded sketch of the series, a robust line through each of its resolutions,
an interval that is calibrated on how earlier forecasts of the same series have fared. Pure."""
