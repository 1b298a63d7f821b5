"""The language model of classical Chinese poems, its decoding and its prosody: pure PyTorch."""
