"""Conversations on disk, where a person has said that their texts are kept: written, read again, searched."""
