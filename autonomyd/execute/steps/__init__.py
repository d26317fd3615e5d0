"""The acts, one file a noun; each handler joins one kind of Step to the hands that the engine gives it."""
