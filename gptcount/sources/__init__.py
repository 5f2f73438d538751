"""Where an architecture comes from: presets, TOML files, configurations. Importing this imports nothing."""
