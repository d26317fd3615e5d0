"""The drill: breaks small real services under a real daemon and measures, from outside, what becomes of them.

It talks to the daemon only through control.client, and to the services only as their users would."""
