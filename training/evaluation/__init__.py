"""How good the poems of a checkpoint are, measured beside people's."""
