"""What verse is: forms, scripts, rhymes, tone patterns, and the proof of a poem."""
