"""What the database keeps of ComfyUI servers, their models and Civitai's catalog."""
