"""What every capability stands on: declarations, lifecycles, refusals, the clock, typesetting and health."""
