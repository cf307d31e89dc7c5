"""Lists of people, in files, workbooks and databases."""
