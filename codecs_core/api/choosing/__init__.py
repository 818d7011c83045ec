"""Which codec an array gets, by what it makes of a sample; and what its model costs."""
