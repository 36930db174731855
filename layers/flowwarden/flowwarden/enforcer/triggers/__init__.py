"""EventBridge events become triggers: what a run is about. Pure."""
