"""Room of what users keep: saved searches, collections of them, and watches that tell what a search finds anew."""
