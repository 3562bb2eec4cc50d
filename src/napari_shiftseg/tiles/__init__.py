"""Stage 2: geometry of networks and plans of tiles; integers only."""
