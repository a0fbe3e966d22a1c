"""Reading ComfyUI servers: how they are, and which models they have."""
