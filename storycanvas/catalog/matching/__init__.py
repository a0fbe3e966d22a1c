"""Which Civitai version a local model file is: decided from values alone, without any I/O."""
