"""Stages that pass events on demand. GenStage: ``GenStage``."""
