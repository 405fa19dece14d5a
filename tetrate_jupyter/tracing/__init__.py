"""Spans of what is asked, for whoever has set OpenTelemetry up in this process."""
