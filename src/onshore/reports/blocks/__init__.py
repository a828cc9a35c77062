"""Parts of papers, each made of the evidence of a year beside that of the year before."""
