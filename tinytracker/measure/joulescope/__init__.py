"""Recording with a Joulescope, through its maker's driver in an environment of its own."""
