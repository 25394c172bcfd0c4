"""What the program writes down about itself: the log, and a report when it breaks."""
