"""Power meters inside a computer, read through files of the kernel: INA3221 on a Jetson, RAPL on a PC."""
