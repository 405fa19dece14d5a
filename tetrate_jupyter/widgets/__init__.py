"""Panels and controls made of ipywidgets; thin, no business rule."""
