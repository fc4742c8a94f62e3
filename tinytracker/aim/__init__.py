"""Where the eyes are: the codes of the networks that say so, and the controller that places the next frame's crop."""
