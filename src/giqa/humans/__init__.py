"""People judge pictures: collecting votes in a browser, keeping them, and what they mean."""
