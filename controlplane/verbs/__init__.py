"""Call documents: what a tenant's application answers, whatever dialect it wrote. Pure."""
