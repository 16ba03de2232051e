"""One command: `callplane`."""
