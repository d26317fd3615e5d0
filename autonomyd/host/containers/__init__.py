"""The container engine (Docker, or Podman's Docker-compatible API) over its Unix socket: asked by `api`, listened to by
`engine`. Nothing here decides; nothing is sent to the engine but what a control, a check or a step asks for."""
