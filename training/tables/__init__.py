"""The tables that the model reads, each derived from its sources by one command."""
