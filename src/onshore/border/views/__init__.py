"""What people are shown: catalogue, dossier, spot check, and the look from abroad, which is an export."""
