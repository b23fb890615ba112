"""`tcnb doctor`: names what keeps a notebook from its server; what it finds is only said here, nothing is mended."""
