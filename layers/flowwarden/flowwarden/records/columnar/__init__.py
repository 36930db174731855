"""The fast path: reads many lines at once into integer columns. Tests compare it with the line reader."""
