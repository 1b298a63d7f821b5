"""Offline: from the corpus of Tang and Song poems to a checkpoint."""
