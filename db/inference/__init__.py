"""Inference presets for models, by base model."""
