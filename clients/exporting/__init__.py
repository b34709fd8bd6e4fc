"""The book as an Excel file: whom, which columns, and the jobs that write large ones."""
