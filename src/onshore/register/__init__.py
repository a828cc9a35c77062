"""Who a car is: vehicles, their persons, and what those allowed."""
