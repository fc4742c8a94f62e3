"""The Spresense target."""
