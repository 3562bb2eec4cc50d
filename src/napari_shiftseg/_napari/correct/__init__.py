"""The tab "Correct": pick, merge, split and mend by hand."""
