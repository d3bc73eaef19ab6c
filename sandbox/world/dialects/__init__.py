"""How each system writes the world down: one module per dialect, documents as its API serves them."""
