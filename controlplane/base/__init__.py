"""Words everyone uses: errors, ids, numbers, causes, the clock. Pure; imports nothing of ours."""
