"""What is stored: one file per kind of block, each with its fields and its inventory."""
