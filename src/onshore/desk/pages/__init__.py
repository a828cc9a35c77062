"""Pages: what each role sees and does, a package to a role; none knows another's."""
