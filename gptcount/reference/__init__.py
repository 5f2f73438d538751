"""What is done: the forward pass in NumPy, one file per kind of block, and the bench where it meets the inventory."""
