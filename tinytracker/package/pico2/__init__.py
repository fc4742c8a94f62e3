"""The Raspberry Pi Pico 2 target."""

TARGET = "pico2"
