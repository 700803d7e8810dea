"""Learning quality from a generator's own snapshots: `giqa train`."""
