"""A report as bytes of a file: HTML, PDF, DOCX, JSON."""
