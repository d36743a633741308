"""Many prompts as evidence: their trajectories side by side, what is unusual among them, and what follows from them."""
