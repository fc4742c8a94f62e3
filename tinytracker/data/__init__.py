"""GazeCapture data: layout, devices, crops, the face grid, preparation and the records that training reads."""
