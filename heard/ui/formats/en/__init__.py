"""English, as it is read everywhere: no month and day to be taken for each other, one clock."""
