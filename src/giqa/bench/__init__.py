"""Scorers against labels, side by side: `giqa.bench.run.bench`, and what to label next: `giqa.bench.suggest`."""
