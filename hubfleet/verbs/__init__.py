"""What `hubfleet VERB INVENTORY` does, a module a verb. Each returns its exit status."""
