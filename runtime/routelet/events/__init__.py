"""One module for each event source, with the same two functions in each.

`request_of(event)` gives the Request, `result_of(response, event)` what the source wants back.
"""
