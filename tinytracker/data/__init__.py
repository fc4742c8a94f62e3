"""GazeCapture folders in, prepared shards and network inputs out."""
