"""Links between local models and Civitai versions: candidates, plans, writes."""
