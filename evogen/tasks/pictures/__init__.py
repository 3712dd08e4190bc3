"""Pictures that nobody vouches for: a folder or ZIP of images, or a CSV file as FER-2013 has it."""
