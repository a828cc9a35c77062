"""What stands on file with a request: papers, judgements, tasks with clocks, foreign courts."""
