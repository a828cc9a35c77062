"""Query: SQL at the site, for a named purpose, over what that purpose may see."""
