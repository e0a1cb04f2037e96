"""What is shipped, read from the finished zips: why, how large, how slow to start, what changed.

`routelet why` and `routelet report` look at a built `dist/` and never at the plan of a build;
budgets are held against the same zips before a build is done.
"""
