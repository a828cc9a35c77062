"""The desk: a web console for owners, engineers, officers, regulators and operators of one site."""
