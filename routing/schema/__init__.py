"""The configuration files: one module per noun, each with its models and how they become parts of the policy."""
