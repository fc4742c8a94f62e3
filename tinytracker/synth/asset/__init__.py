"""The head asset (`head.npz`, CC0) and the script that builds it from the published MakeHuman data."""
