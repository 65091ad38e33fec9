"""One thread for each program, where several compute beside each other.

NumPy and torch start a thread for every processor, and two programs that do so wait for each other most of
the time: what takes one second then takes eight. They read these variables when they are first imported.
"""

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
