"""What a run shows of itself at its end: report, contact sheet, tables."""
