"""From what is asked of a poem to sequences for the engine, and from those to the poem."""
