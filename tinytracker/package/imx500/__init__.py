"""The Raspberry Pi AI Camera (Sony IMX500): from a Keras model to `network.rpk`, on any PC."""
