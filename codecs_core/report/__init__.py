"""What people see of files and codecs: descriptions, pages, comparisons, pictures, bars of progress."""
