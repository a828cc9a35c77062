"""What stands on file with a request: papers, tasks with clocks, foreign courts."""
