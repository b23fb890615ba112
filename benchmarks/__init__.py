"""Programs that measure tcnb and print what they find, as ratios of two measurements of one run; tests never time."""
