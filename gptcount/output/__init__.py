"""What a person or a program reads: tables and prose, and one small file per format that renders them."""
