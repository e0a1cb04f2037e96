"""Templates as package data: entry modules, generated pages, SAM, CDK."""
