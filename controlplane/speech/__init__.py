"""Text to speech: providers behind one seam, rendered once and cached."""
