"""Clients of databases, one file each: they ask what a look needs, and end sessions. Every answer is bounded."""
