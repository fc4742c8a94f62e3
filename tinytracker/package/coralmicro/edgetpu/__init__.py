"""Reader of .tflite files compiled for the Edge TPU.

    .tflite file
      operator CUSTOM "edgetpu-custom-op"
        custom options: a FlexBuffer map (flexbuffer.py); key "4" holds
          a package: FlatBuffer "DWN1" (executable.py)
            executables: parameters, instructions, and the list of transfers between host and chip

`compiled.read_compiled` is the entry point; `show.show` returns what the command line prints.
"""
