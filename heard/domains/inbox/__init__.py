"""Cases and episodes: what an agent sees and works on."""
