"""What every page is made of: the reader of templates, axes, charts. Pages are made beside what they show."""
