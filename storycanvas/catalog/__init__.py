"""Reading ComfyUI servers and Civitai, and matching models; knows neither Prefect nor MongoDB."""
