"""The images of the figure of four filters."""

FOUR = ["point-stop.png", "low-pass.png", "high-pass.png", "band-stop.png"]
